import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CacheEntry } from '../../src/core/response-cache.js';
import { type CacheStoreOptions, openCacheStore } from '../../src/storage/cache-store.js';
import type { LedgerFault } from '../../src/storage/losses.js';

export function makeKey(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);
}

export function makeEntry(name: string, fields: Partial<CacheEntry> = {}): CacheEntry {
  const body = fields.body ?? Buffer.from(`{"said":${JSON.stringify(name)}}`);
  return {
    key: makeKey(name),
    variant: 'json',
    provider: 'openai',
    api: 'chat.completions',
    url: 'https://api.openai.com/v1/chat/completions',
    model: 'gpt-4o',
    parts: { 'body.model': 'x' },
    isBound: false,
    status: 200,
    rawHeaders: ['Content-Type', 'application/json'],
    pieces: [[body.length, 3.5]],
    body,
    callId: `call-${name}`,
    latencyMs: 123.4,
    storedAtMs: 1_000,
    expiresAtMs: null,
    ...fields,
  };
}

/** A store in a folder that is deleted when the test ends. */
export function openStore(options: Partial<CacheStoreOptions> = {}) {
  const faults: LedgerFault[] = [];
  const path = options.path === undefined ? makeCachePath() : options.path;
  const store = openCacheStore({ onFault: (fault) => faults.push(fault), ...options, path });
  onTestFinished(() => store.close());
  return { store, faults, path: path ?? '' };
}

export function makeCachePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'nested', 'deeper', 'cache.db');
}

import { expect, it } from 'vitest';
import { openResponseCache } from '../../src/cache/response-cache.js';
import type { CachedCall, CacheQuestion } from '../../src/core/call-cache.js';
import { systemClock } from '../../src/core/clock.js';
import { openRegistry } from '../../src/providers/registry.js';
import { chatRequest } from '../fixtures/replies.js';

const head = {
  method: 'POST',
  origin: { scheme: 'https', host: 'api.openai.com', port: 443 },
  path: '/v1/chat/completions',
  rawHeaders: ['content-type', 'application/json'],
} as const;

function openCall(mode: 'on' | 'only', { isClosed = false } = {}) {
  const faults: string[] = [];
  const cache = openResponseCache({
    openStore: () => {
      throw new Error('database is locked');
    },
    openDecoder: () => ({ write: () => undefined, end: () => undefined, problem: null, close: () => undefined }),
    clock: systemClock,
    registered: () => [],
    onFault: (_session, message) => faults.push(message),
  });
  if (isClosed) cache.close();
  const match = openRegistry().recognise(head);
  if (match === undefined) throw new Error('no call');
  const call: CachedCall = {
    ...{ callId: 'c', sessionId: 's', head, match, use: { mode } },
    ...{ hasSecret: () => false, redact: (content) => String(content) },
  };
  const question: CacheQuestion = {
    ...{ body: Buffer.from(chatRequest), head, match, stream: false, model: 'gpt-4o', url: '' },
  };
  return { opened: cache.open(call), question, faults };
}

it.each([false, true])('a call only the cache may answer is refused where the cache fails (closed: %s)', (isClosed) => {
  const { opened, question, faults } = openCall('only', { isClosed });
  expect(opened?.ask(question)).toMatchObject({ how: 'refused' });
  expect(() => opened?.end({ outcome: 'http_error', facts: null, latencyMs: 1, error: null })).not.toThrow();
  expect(faults[0]).toContain('The cache failed');
});

it('a call that may go to its provider goes there where the cache fails', () => {
  const { opened, question } = openCall('on');
  expect(opened?.ask(question)).toBeNull();
  expect(() => opened?.end({ outcome: 'ok', facts: null, latencyMs: 1, error: null })).not.toThrow();
});

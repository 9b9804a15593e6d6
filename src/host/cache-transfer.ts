import { findHeadProblem, formatPortable, portableHead, readPortable } from '../cache/portable.js';
import { holdsSecret } from '../call/holds-secret.js';
import { collectAmbientSecrets, collectSecrets } from '../call/secrets.js';
import { TrackerError } from '../core/errors.js';
import type { CacheEntry } from '../core/response-cache.js';
import { openCacheReader } from '../storage/cache-reader.js';
import { openCacheStore } from '../storage/cache-store.js';
import type { LedgerFault } from '../storage/losses.js';
import { wireTools } from './wire-tools.js';

/** How many entries were taken along, and why others were not. */
export interface ExportCounts {
  entries: number;
  /** Bound to a credential of this cache's, which means nothing elsewhere. */
  bound: number;
  /** They hold what looks like a credential, or one of the environment's. */
  secret: number;
}

/** The lines of an export, lazily; `counts` is filled meanwhile. Throws as `openCacheReader` and its methods do. */
export function* exportCache(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
  counts: ExportCounts,
): Generator<string> {
  const secrets = collectSecrets({ requestHeaders: [], url: '', ambient: collectAmbientSecrets(env) });
  const reader = openCacheReader(path);
  try {
    yield JSON.stringify({ ...portableHead, exportedAt: new Date().toISOString() });
    for (const entry of reader.entries()) {
      const isSecret = (content: string | Buffer, contentType: string | null): boolean =>
        holdsSecret(wireTools, { content, contentType, secrets });
      if (entry.isBound) counts.bound += 1;
      else if (mayHoldSecret(entry, isSecret)) counts.secret += 1;
      else {
        counts.entries += 1;
        yield formatPortable(entry);
      }
    }
  } finally {
    reader.close();
  }
}

function mayHoldSecret(
  { body, rawHeaders, url, variant }: CacheEntry,
  isSecret: (content: string | Buffer, contentType: string | null) => boolean,
): boolean {
  const type = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'content-type');
  const heads = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  return [...heads, url, variant].some((text) => isSecret(text, null)) || isSecret(body, rawHeaders[type + 1] ?? null);
}

export interface ImportCounts {
  readonly entries: number;
  /** The cache has a newer reply to the same. */
  readonly older: number;
}

const entriesAtOnce = 100;

/**
 * Puts an export's entries into a cache, in place of older ones. Throws `CACHE_FILE_INVALID` naming the line, and what the
 * cache's file says when it cannot be written.
 *
 * @param name of the file, for messages
 */
export async function importCache(path: string, lines: AsyncIterable<string>, name: string): Promise<ImportCounts> {
  const faults: LedgerFault[] = [];
  const store = openCacheStore({ path, onFault: (fault) => faults.push(fault) });
  const counts = { entries: 0, older: 0 };
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (number === 1) requireHead(line, name);
      else if (line !== '') putEntry(store, requireEntry(line, { name, number }), counts);
      if (number % entriesAtOnce === 0) store.flush();
      throwFirst(faults);
    }
    if (number === 0) requireHead('', name);
    store.flush();
    // Faults are told a turn later.
    await Promise.resolve();
    throwFirst(faults);
    return counts;
  } finally {
    store.close();
  }
}

function putEntry(
  store: ReturnType<typeof openCacheStore>,
  entry: CacheEntry,
  counts: { entries: number; older: number },
): void {
  const kept = store.find(entry.key, entry.variant);
  if (kept !== null && kept.storedAtMs >= entry.storedAtMs) {
    counts.older += 1;
    return;
  }
  store.put(entry);
  counts.entries += 1;
}

function requireHead(line: string, name: string): void {
  const problem = findHeadProblem(line);
  if (problem === null) return;
  const hint = 'Give a file that `llmtap cache export` of this version has written.';
  throw new TrackerError('CACHE_FILE_INVALID', `Could not import ${name}: ${problem}.`, { hint });
}

function requireEntry(line: string, { name, number }: { readonly name: string; readonly number: number }): CacheEntry {
  const entry = readPortable(line);
  if (entry !== null) return entry;
  const message = `Could not import line ${number} of ${name}: it is no entry of a cache.`;
  throw new TrackerError('CACHE_FILE_INVALID', message, { hint: 'What stands before it was imported.' });
}

function throwFirst([fault]: readonly LedgerFault[]): void {
  if (fault !== undefined)
    throw new TrackerError(fault.code, fault.message, fault.hint === null ? {} : { hint: fault.hint });
}

import type { CallRecord } from '../core/call-record.js';
import { TrackerError } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type {
  CallFilter,
  EventFilter,
  EventRow,
  LedgerReader,
  PruneOptions,
  PrunePlan,
  PruneResult,
  RunRow,
  StoreInfo,
  Summary,
} from '../core/ledger.js';
import { makeRecord } from './call-rows.js';
import { isThere, makePlacePath, type StorePlace } from './database.js';
import { findLastEvents, iterateEvents, listStated } from './event-rows.js';
import { makeCondition } from './filters.js';
import { LedgerConnection } from './ledger-connection.js';
import { findCalls, listFaults, type Queries } from './ledger-queries.js';
import { schemaVersion } from './migrations.js';
import { planPrune, pruneStore, readStoreBytes } from './prune.js';
import { countRuns, findGraphRunIds, findRunIds, findSessionIds, isSessionOpen, listRuns } from './runs.js';
import { makeStoreError } from './store-errors.js';
import { summarise } from './summaries.js';

const minPrefixLength = 4;

/**
 * Opens the ledger for reading, also while others write. A file that does not exist yet reads as an empty one.
 * Methods throw `STORE_UNOPENABLE`, `STORE_NEWER`, `STORE_LOCKED` or `STORE_FAILED` besides what the port names.
 */
export function openLedgerReader(place: StorePlace): LedgerReader {
  return new SqliteLedgerReader(makePlacePath(place));
}

class SqliteLedgerReader implements LedgerReader {
  readonly #connection: LedgerConnection;

  constructor(path: string) {
    this.#connection = new LedgerConnection(path);
  }

  get #path(): string {
    return this.#connection.path;
  }

  listRuns(options: { readonly limit?: number; readonly graphKey?: string } = {}): readonly RunRow[] {
    const asked = { ...options, limit: options.limit ?? Number.MAX_SAFE_INTEGER };
    return this.#connection.read('list the runs', [], (queries) => listRuns(queries, asked));
  }

  listCalls(
    filter: CallFilter,
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Iterable<CallRecord> {
    const limit = options.limit ?? Number.MAX_SAFE_INTEGER;
    const asked = { condition: makeCondition(filter), limit, bodies: options.bodies === true };
    return this.#connection.iterate(asked);
  }

  requireCall(idOrPrefix: string): CallRecord {
    if (idOrPrefix.length < minPrefixLength) throw makeTooShort(idOrPrefix);
    const rows = this.#connection.read('find a call', [], (queries) => findCalls(queries, idOrPrefix));
    const [row] = rows;
    if (rows.length === 1 && row !== undefined) return makeRecord(row);
    const ids = rows.map((found) => String(found.call_id));
    throw new TrackerError('RECORD_NOT_FOUND', sayNotOne('call', idOrPrefix, ids), {
      hint: 'Give the id, a longer beginning of it, or `latest`; `llmtap calls` lists them.',
    });
  }

  requireRunId(idOrPrefix: string): string {
    const ids = this.#connection.read('find a run', [], (queries) =>
      idOrPrefix === '' ? [] : findRunIds(queries, idOrPrefix),
    );
    const [id] = ids;
    if (ids.length === 1 && id !== undefined) return id;
    throw new TrackerError('RUN_NOT_FOUND', sayNotOne('run', idOrPrefix, ids), {
      hint: 'Give the id, a longer beginning of it, or `latest`; `llmtap runs` lists them.',
    });
  }

  requireGraphRunId(graphKey: string, idOrPrefix = ''): string {
    const ids = this.#connection.read('find a run of a graph', [], (queries) =>
      findGraphRunIds(queries, graphKey, idOrPrefix),
    );
    const [id] = ids;
    if (id !== undefined && (ids.length === 1 || idOrPrefix === '')) return id;
    const problem =
      idOrPrefix === ''
        ? `Could not find a run of graph "${graphKey}": none is on record.`
        : sayNotOne(`run of graph "${graphKey}"`, idOrPrefix, ids);
    throw new TrackerError('RUN_NOT_FOUND', problem, {
      hint: 'Runs of graphs are on record where their nodes are sessions with graphKey and graphRunId.',
    });
  }

  requireSessionId(idOrPrefix: string): string {
    const ids = this.#connection.read('find a session', [], (queries) =>
      idOrPrefix === '' ? [] : findSessionIds(queries, idOrPrefix),
    );
    const [id] = ids;
    if (ids.length === 1 && id !== undefined) return id;
    throw new TrackerError('RECORD_NOT_FOUND', sayNotOne('session', idOrPrefix, ids), {
      hint: 'Give the id or a longer beginning of it; `llmtap calls --json` has it in sessionId.',
    });
  }

  summarise(filter: CallFilter): Summary {
    const empty: Summary = { models: [], calls: 0, errors: 0, refusedCalls: 0, counts: null };
    return this.#connection.read('sum up the calls', empty, (queries) => summarise(queries, makeCondition(filter)));
  }

  listFaults(filter: CallFilter): readonly Fault[] {
    return this.#connection.read('list the faults', [], (queries) => listFaults(queries, filter));
  }

  listEvents(filter: EventFilter): Iterable<EventRow> {
    return { [Symbol.iterator]: () => iterateEvents(this.#connection, filter) };
  }

  listStated(run: { readonly runId: string; readonly configKey: string }): readonly string[] {
    return this.#connection.read('list what callers stated', [], (queries) => listStated(queries, run));
  }

  isSessionOpen(session: Parameters<LedgerReader['isSessionOpen']>[0]): boolean {
    return this.#connection.read('look for a session', false, (queries) => isSessionOpen(queries, session));
  }

  findLastEvents(filter: EventFilter, count: number): number {
    return this.#connection.read('find the last events', 0, (queries) => findLastEvents(queries, filter, count));
  }

  info(): StoreInfo {
    const empty = { bodyBytes: 0, calls: 0, runs: 0, oldest: null, newest: null, schemaVersion };
    const found = this.#connection.read<Omit<StoreInfo, 'path' | 'bytes'>>('measure the ledger', empty, readContents);
    return Object.freeze({ path: this.#path, bytes: readStoreBytes(this.#path), ...found });
  }

  planPrune(options: PruneOptions): PrunePlan {
    const empty = { matches: 0, total: 0, emptySessions: 0, exceedsSize: false };
    return this.#connection.read('see what there is to prune', empty, (queries) =>
      planPrune(queries, this.#path, options),
    );
  }

  prune(options: PruneOptions): PruneResult {
    const empty = { calls: 0, bodies: 0, bytesBefore: 0, bytesAfter: 0 };
    try {
      return isThere(this.#path) ? pruneStore(this.#path, options) : empty;
    } catch (error) {
      throw makeStoreError(error, { action: 'prune the ledger', path: this.#path });
    }
  }

  close(): void {
    this.#connection.close();
  }
}

function readContents(queries: Queries): Omit<StoreInfo, 'path' | 'bytes'> {
  const calls = queries.get('SELECT count(*) AS calls FROM calls');
  const oldest = queries.get('SELECT min(started_at) AS at FROM calls')?.at ?? null;
  const newest = queries.get('SELECT max(started_at) AS at FROM calls')?.at ?? null;
  // octet_length is told by a row's head: no body is read.
  const bodies = queries.get('SELECT sum(octet_length(request)) AS a, sum(octet_length(response)) AS b FROM bodies');
  return {
    bodyBytes: Number(bodies?.a ?? 0) + Number(bodies?.b ?? 0),
    calls: Number(calls?.calls ?? 0),
    runs: countRuns(queries),
    oldest: oldest === null ? null : String(oldest),
    newest: newest === null ? null : String(newest),
    schemaVersion,
  };
}

function makeTooShort(prefix: string): TrackerError {
  const message = `Could not look for a call by "${prefix}": that is too short, it takes at least four characters.`;
  return new TrackerError('RECORD_NOT_FOUND', message, {
    hint: 'Give more of the id, or `latest`; `llmtap calls` lists them.',
  });
}

function sayNotOne(noun: string, idOrPrefix: string, ids: readonly string[]): string {
  if (idOrPrefix === 'latest') return `Could not find the latest ${noun}: nothing is on record yet.`;
  const found =
    ids.length === 0 ? 'none found' : `${ids.length === 3 ? 'several' : ids.length} found (${ids.join(', ')})`;
  return `Could not find the one ${noun} whose id is or begins with "${idOrPrefix}": ${found}.`;
}

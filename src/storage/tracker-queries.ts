import type { CallRecord } from '../core/call-record.js';
import type { CallFilter, RunRow } from '../core/ledger.js';
import type { TrackerQueries } from '../core/tracker-queries.js';
import type { DataGroup, TrackerSummary } from '../core/tracker-summary.js';
import type { UsageSum } from '../core/usage-sum.js';
import { isThere, makePlacePath, openWritable, type StorePlace } from './database.js';
import { type Condition, makeTrackerCondition } from './filters.js';
import { LedgerConnection } from './ledger-connection.js';
import { Queries } from './ledger-queries.js';
import { listRuns } from './runs.js';
import { findTrouble, makeStoreError } from './store-errors.js';
import { summarise } from './summaries.js';

/** Few enough that others who write meanwhile find their turn. */
const batchCalls = 200;
/** All traffic passes the thread that asks: it outlasts another writer's commit, and leaves waiting to who can do so aside. */
const busyTimeoutMs = 5;

export type TrackerQueriesOptions = StorePlace & { readonly trackerId: string };

/** Opens a tracker's view of a ledger. A file that does not exist yet reads as an empty one. */
export function openTrackerQueries(options: TrackerQueriesOptions): TrackerQueries {
  return new SqliteTrackerQueries(makePlacePath(options), options.trackerId);
}

class SqliteTrackerQueries implements TrackerQueries {
  readonly #connection: LedgerConnection;
  readonly #trackerId: string;

  constructor(path: string, trackerId: string) {
    this.#connection = new LedgerConnection(path, busyTimeoutMs);
    this.#trackerId = trackerId;
  }

  listCalls(
    filter: CallFilter,
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Iterable<CallRecord> {
    const { limit = Number.MAX_SAFE_INTEGER, bodies = false } = options;
    return this.#connection.iterate({ condition: this.#condition(filter), limit, bodies });
  }

  usage(filter: CallFilter): Readonly<Record<string, UsageSum>> {
    const usage: Record<string, UsageSum> = Object.create(null) as Record<string, UsageSum>;
    this.#connection.read('sum up the usage', null, (queries) => {
      for (const [model, sum] of readUsage(queries, this.#condition(filter))) usage[model] = sum;
      return null;
    });
    return Object.freeze(usage);
  }

  cachedLatencyMs(filter: CallFilter): number {
    const { sql, values } = this.#condition(filter);
    return this.#connection.read('sum up the latency of cached calls', 0, (queries) => {
      const stated = "iif(json_valid(details), json_extract(details, '$.cachedLatencyMs'), NULL)";
      const row = queries.get(`SELECT total(${stated}) AS ms FROM calls WHERE cached = 1 AND ${sql}`, values);
      return Number(row?.ms ?? 0);
    });
  }

  summarise(filter: CallFilter): TrackerSummary {
    const empty = { models: [], calls: 0, errors: 0, refusedCalls: 0, counts: null, groups: [], latencyMs: 0 };
    return this.#connection.read<TrackerSummary>('sum up the calls', empty, (queries) => {
      const condition = this.#condition(filter);
      return queries.db.transaction(() => {
        const groups = readGroups(queries, condition);
        const latencyMs = groups.reduce((sum, group) => sum + group.latencyMs, 0);
        return Object.freeze({ ...summarise(queries, condition), groups: Object.freeze(groups), latencyMs });
      })();
    });
  }

  listRuns(): readonly RunRow[] {
    const trackerId = this.#trackerId;
    return this.#connection.read('list the runs', [], (queries) =>
      listRuns(queries, { limit: Number.MAX_SAFE_INTEGER, trackerId }),
    );
  }

  *clear(isEnough: () => boolean = () => true): Generator<number> {
    const { path } = this.#connection;
    try {
      if (!isThere(path)) return;
      const queries = new Queries(openWritable({ path, busyTimeoutMs }));
      try {
        yield* this.#deleteCalls(queries, isEnough);
      } finally {
        queries.db.close();
      }
    } catch (error) {
      throw makeStoreError(error, { action: 'delete the calls', path });
    }
  }

  close(): void {
    this.#connection.close();
  }

  /** In batches, up to the last call there is now: those that come meanwhile stay. */
  *#deleteCalls(queries: Queries, isEnough: () => boolean): Generator<number> {
    const { sql, values } = this.#condition({});
    const last = Number(queries.get(`SELECT max(seq) AS seq FROM calls WHERE ${sql}`, values)?.seq ?? 0);
    const batch = `SELECT seq FROM calls WHERE ${sql} AND seq <= ? ORDER BY seq LIMIT ${batchCalls}`;
    const removeBatch = queries.db.transaction(() => {
      queries.run(`DELETE FROM bodies WHERE call_seq IN (${batch})`, [...values, last]);
      return queries.run(`DELETE FROM calls WHERE seq IN (${batch})`, [...values, last]);
    });
    const removeOrWait = (): number => {
      try {
        return removeBatch.immediate();
      } catch (error) {
        if (findTrouble(error) !== 'locked' || isEnough()) throw error;
        return -1;
      }
    };
    for (let gone = removeOrWait(); gone !== 0; gone = removeOrWait()) yield Math.max(gone, 0);
  }

  #condition(filter: CallFilter): Condition {
    return makeTrackerCondition(this.#trackerId, filter);
  }
}

const counted = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  cacheReadTokens: 'cache_read_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  reasoningTokens: 'reasoning_tokens',
  totalTokens: 'total_tokens',
} as const;

function readUsage(queries: Queries, { sql, values }: Condition): [model: string, sum: UsageSum][] {
  const sums = Object.values(counted).map((column) => `sum(${column}) AS ${column}`);
  const rows = queries.all(
    `SELECT coalesce(model, '(unknown)') AS name, count(*) AS calls, ${sums.join(', ')},
       sum(input_tokens IS NULL OR output_tokens IS NULL) AS unknown_calls,
       round(sum(cost_usd), 12) AS cost_usd, sum(cost_usd IS NULL) AS unpriced_calls
     FROM calls WHERE ${sql} GROUP BY name ORDER BY model`,
    values,
  );
  return rows.map((row) => {
    const known = Object.entries(counted).map(([name, column]) => {
      const value = row[column] ?? null;
      return [name, value === null ? null : Number(value)] as const;
    });
    const sum = {
      calls: Number(row.calls),
      ...Object.fromEntries(known),
      unknownCalls: Number(row.unknown_calls),
      costUsd: row.cost_usd == null ? null : Number(row.cost_usd),
      unpricedCalls: Number(row.unpriced_calls),
    };
    return [String(row.name), Object.freeze(sum as UsageSum)];
  });
}

function readGroups(queries: Queries, { sql, values }: Condition): DataGroup[] {
  const rows = queries.all(
    `SELECT data_id, count(*) AS calls, count(error_code) AS errors, sum(latency_ms) AS latency_ms
     FROM calls WHERE ${sql} GROUP BY data_id ORDER BY data_id IS NULL, min(started_at), data_id`,
    values,
  );
  return rows.map((row) =>
    Object.freeze({
      dataId: row.data_id == null ? null : String(row.data_id),
      calls: Number(row.calls),
      errors: Number(row.errors),
      latencyMs: Number(row.latency_ms),
    }),
  );
}

import type { ModelSummary, Savings, Summary, TokenSum } from '../core/ledger.js';
import type { SessionCounts } from '../core/session.js';
import type { CallRow } from './call-rows.js';
import type { Condition } from './filters.js';
import type { Queries } from './ledger-queries.js';

const counted = ['input', 'output', 'cache_read', 'cache_write', 'reasoning', 'total'] as const;
const costSum = 'round(sum(cost_usd), 12) AS cost_known, count(cost_usd) AS cost_stated';
const savings = { input: 'input_tokens', output: 'output_tokens', usd: 'saved_usd' } as const;
const savedLatency = "iif(json_valid(details), json_extract(details, '$.cachedLatencyMs'), NULL)";
const savedSums = [
  ...Object.entries(savings).flatMap(([name, column]) => [
    `round(sum(iif(cached, ${column}, NULL)), 12) AS saved_${name}_known`,
    `count(iif(cached, ${column}, NULL)) AS saved_${name}_stated`,
  ]),
  `total(iif(cached, ${savedLatency}, NULL)) AS saved_ms`,
];
const sums = counted.map((name) => `sum(${name}_tokens) AS ${name}_known, count(${name}_tokens) AS ${name}_stated`);

/**
 * What the calls of a condition add up to: a line per model and provider, the one with most calls first. Counts of
 * sessions are those of the sessions that have ended; `null` when none has.
 */
export function summarise(queries: Queries, condition: Condition): Summary {
  // One read transaction, so that the medians are of the same calls as the sums.
  return queries.db.transaction(() => {
    const latencies = readMedians(queries, condition, 'latency_ms');
    const firstTokens = readMedians(queries, condition, 'time_to_first_token_ms');
    const rows = queries.all(
      `SELECT model, provider, count(*) AS calls, count(error_code) AS errors, sum(cached) AS cached_calls,
         coalesce(sum(error_code = 'BUDGET_EXCEEDED'), 0) AS refused_calls,
         max(latency_ms) AS latency_max, ${sums.join(', ')}, ${savedSums.join(', ')}, ${costSum}
       FROM calls WHERE ${condition.sql} GROUP BY model, provider ORDER BY calls DESC, provider, model`,
      condition.values,
    );
    const models = rows.map((row) => {
      const key = makeKey(row);
      return makeModelSummary(row, latencies.get(key) ?? 0, firstTokens.get(key) ?? null);
    });
    return Object.freeze({
      models: Object.freeze(models),
      calls: models.reduce((sum, { calls }) => sum + calls, 0),
      errors: models.reduce((sum, { errors }) => sum + errors, 0),
      refusedCalls: rows.reduce((sum, row) => sum + Number(row.refused_calls), 0),
      counts: readCounts(queries, condition),
    });
  })();
}

function makeModelSummary(row: CallRow, latencyP50Ms: number, timeToFirstTokenP50Ms: number | null): ModelSummary {
  const calls = Number(row.calls);
  const sum = (name: (typeof counted)[number] | 'cost'): TokenSum => {
    const known = row[`${name}_known`] ?? null;
    return Object.freeze({
      known: known === null ? null : Number(known),
      unknownCalls: calls - Number(row[`${name}_stated`]),
    });
  };
  return Object.freeze({
    model: row.model == null ? null : String(row.model),
    provider: String(row.provider),
    calls,
    errors: Number(row.errors),
    cachedCalls: Number(row.cached_calls),
    saved: makeSavings(row),
    inputTokens: sum('input'),
    cacheReadTokens: sum('cache_read'),
    cacheWriteTokens: sum('cache_write'),
    outputTokens: sum('output'),
    reasoningTokens: sum('reasoning'),
    totalTokens: sum('total'),
    costUsd: sum('cost'),
    latencyP50Ms,
    latencyMaxMs: Number(row.latency_max),
    timeToFirstTokenP50Ms,
  });
}

function makeSavings(row: CallRow): Savings {
  const sum = (name: keyof typeof savings): TokenSum => {
    const known = row[`saved_${name}_known`] ?? null;
    return Object.freeze({
      known: known === null ? null : Number(known),
      unknownCalls: Number(row.cached_calls) - Number(row[`saved_${name}_stated`]),
    });
  };
  return Object.freeze({
    inputTokens: sum('input'),
    outputTokens: sum('output'),
    usd: sum('usd'),
    latencyMs: Number(row.saved_ms),
  });
}

/** The exact median of a column per model and provider: the middle value, or the mean of the two middle ones. */
function readMedians(queries: Queries, { sql, values }: Condition, column: string): Map<string, number> {
  const rows = queries.all(
    `SELECT model, provider, avg(value) AS median FROM (
       SELECT model, provider, ${column} AS value, count(*) OVER (PARTITION BY model, provider) AS total,
         row_number() OVER (PARTITION BY model, provider ORDER BY ${column}) AS place
       FROM calls WHERE ${sql} AND ${column} IS NOT NULL
     ) WHERE place IN ((total + 1) / 2, (total + 2) / 2) GROUP BY model, provider`,
    values,
  );
  return new Map(rows.map((row) => [makeKey(row), Number(row.median)]));
}

function makeKey(row: CallRow): string {
  return JSON.stringify([row.model ?? null, row.provider ?? null]);
}

function readCounts(queries: Queries, { sql, values }: Condition): SessionCounts | null {
  const row = queries.get(
    `SELECT count(*) AS ended, sum(calls) AS calls, sum(passed_requests) AS passed_requests, sum(tunnels) AS tunnels,
       sum(tunnel_bytes) AS tunnel_bytes, sum(upgrades) AS upgrades, sum(faults) AS faults
     FROM sessions WHERE ${sql} AND ended_at IS NOT NULL`,
    values,
  );
  if (row === undefined || row.ended === 0) return null;
  return Object.freeze({
    calls: Number(row.calls),
    passedRequests: Number(row.passed_requests),
    tunnels: Number(row.tunnels),
    tunnelBytes: Number(row.tunnel_bytes),
    upgrades: Number(row.upgrades),
    faults: Number(row.faults),
  });
}

import type { RunRow } from '../core/ledger.js';
import type { RunOutcome } from '../core/session.js';
import { type CallRow, readTexts } from './call-rows.js';
import { makePrefixCondition } from './filters.js';
import type { Queries } from './ledger-queries.js';

/** Every run with when it began: sessions that made no call, and calls whose session could not be written, count too. */
const runStarts = `
  SELECT run_id, min(at) AS started_at FROM (
    SELECT run_id, min(opened_at) AS at FROM sessions GROUP BY run_id
    UNION ALL SELECT run_id, min(started_at) FROM calls GROUP BY run_id
  ) GROUP BY run_id`;

/** Runs, the newest first: all, or those a tracker's sessions belong to. */
export function listRuns(
  queries: Queries,
  { limit, trackerId, graphKey }: { readonly limit: number; readonly trackerId?: string; readonly graphKey?: string },
): RunRow[] {
  const conditions = [
    ...(trackerId === undefined ? [] : ['run_id IN (SELECT run_id FROM sessions WHERE tracker_id = ?)']),
    ...(graphKey === undefined ? [] : [`run_id IN (${runsOfGraph})`]),
  ];
  const own = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const values = [
    ...(trackerId === undefined ? [] : [trackerId]),
    ...(graphKey === undefined ? [] : [graphKey, graphKey]),
    limit,
  ];
  const starts = queries.all(`SELECT * FROM (${runStarts}) ${own} ORDER BY started_at DESC, run_id LIMIT ?`, values);
  return starts.map((row) => makeRunRow(queries, String(row.run_id), String(row.started_at)));
}

const runsOfGraph = `
  SELECT run_id FROM sessions WHERE graph_key = ? UNION SELECT run_id FROM calls WHERE graph_key = ?`;

/** The runs of a graph an id or a prefix names, the newest first; at most three. Those its tracker alone tells of count. */
export function findGraphRunIds(queries: Queries, graphKey: string, idOrPrefix: string): string[] {
  const { sql, values } = makePrefixCondition('id', idOrPrefix);
  const rows = queries.all(
    `SELECT id, max(at) AS at FROM (
       SELECT graph_run_id AS id, opened_at AS at FROM sessions WHERE graph_key = ? AND graph_run_id IS NOT NULL
       UNION ALL SELECT graph_run_id, started_at FROM calls WHERE graph_key = ? AND graph_run_id IS NOT NULL
       UNION ALL SELECT run_id, at FROM events
         WHERE name LIKE '$ld:ai:graph:%' AND json_extract(data, '$.graphKey') = ? AND run_id IS NOT NULL
     ) WHERE ${sql} GROUP BY id ORDER BY at DESC, id LIMIT 3`,
    [graphKey, graphKey, graphKey, ...values],
  );
  const ids = rows.map((row) => String(row.id));
  return idOrPrefix !== '' && ids.includes(idOrPrefix) ? [idOrPrefix] : ids;
}

export function countRuns(queries: Queries): number {
  const row = queries.get('SELECT count(*) AS n FROM (SELECT run_id FROM sessions UNION SELECT run_id FROM calls)');
  return Number(row?.n ?? 0);
}

/** The runs an id, a prefix or `latest` names: the one, several, or none; at most three. */
export function findRunIds(queries: Queries, idOrPrefix: string): string[] {
  const { sql, values } = makePrefixCondition('run_id', idOrPrefix);
  const rows = queries.all(
    `SELECT run_id FROM sessions WHERE ${sql} UNION SELECT run_id FROM calls WHERE ${sql} ORDER BY run_id LIMIT 3`,
    [...values, ...values],
  );
  const ids = rows.map((row) => String(row.run_id));
  // A whole id sorts before everything it is a prefix of.
  if (ids[0] === idOrPrefix) return [idOrPrefix];
  if (idOrPrefix === 'latest') return listRuns(queries, { limit: 1 }).map(({ runId }) => runId);
  return ids;
}

/** The sessions an id or a prefix names, those whose calls alone are on record included; at most three. */
export function findSessionIds(queries: Queries, idOrPrefix: string): string[] {
  const { sql, values } = makePrefixCondition('session_id', idOrPrefix);
  const rows = queries.all(
    `SELECT session_id FROM sessions WHERE ${sql} UNION SELECT session_id FROM calls WHERE ${sql}
       ORDER BY session_id LIMIT 3`,
    [...values, ...values],
  );
  const ids = rows.map((row) => String(row.session_id));
  return ids[0] === idOrPrefix ? [idOrPrefix] : ids;
}

const sessionsSql = `
  SELECT count(*) AS sessions, count(*) = count(ended_at) AS has_ended, max(ended_at) AS ended_at
  FROM sessions WHERE run_id = ?`;

/** The newest session speaks for the run; one that ran a command before one that did not. */
const speakerSql = `
  SELECT command, exit_code, config_key, graph_key, outcome FROM sessions WHERE run_id = ?
  ORDER BY command IS NULL, opened_at DESC, session_id LIMIT 1`;

const callsSql = `
  SELECT count(*) AS calls, count(error_code) AS errors,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
    coalesce(sum(input_tokens IS NULL OR output_tokens IS NULL), 0) AS unknown_usage,
    round(sum(cost_usd), 12) AS cost_usd, count(*) - count(cost_usd) AS unpriced,
    coalesce(sum(cached), 0) AS cached_calls, round(sum(saved_usd), 12) AS saved_usd, count(saved_usd) AS saved_stated,
    max(config_key) AS config_key, max(graph_key) AS graph_key
  FROM calls WHERE run_id = ?`;

const modelsSql = `
  SELECT model FROM calls WHERE run_id = ? AND model IS NOT NULL GROUP BY model ORDER BY min(started_at), model`;

function makeRunRow(queries: Queries, runId: string, startedAt: string): RunRow {
  const sessions = queries.get(sessionsSql, [runId]) ?? {};
  const speaker: CallRow = queries.get(speakerSql, [runId]) ?? {};
  const calls = queries.get(callsSql, [runId]) ?? {};
  const models = queries.all(modelsSql, [runId]).map((row) => String(row.model));
  const text = (value: CallRow[string] | undefined): string | null => (value == null ? null : String(value));
  const number = (value: CallRow[string] | undefined): number | null => (value == null ? null : Number(value));
  return Object.freeze({
    runId,
    startedAt,
    endedAt: sessions.has_ended === 1 ? text(sessions.ended_at) : null,
    command: speaker.command == null ? null : readTexts(speaker.command),
    exitCode: number(speaker.exit_code),
    sessions: Number(sessions.sessions ?? 0),
    calls: Number(calls.calls ?? 0),
    errors: Number(calls.errors ?? 0),
    models: Object.freeze(models),
    inputTokens: number(calls.input_tokens),
    outputTokens: number(calls.output_tokens),
    unknownUsage: Number(calls.unknown_usage ?? 0),
    costUsd: Object.freeze({ known: number(calls.cost_usd), unknownCalls: Number(calls.unpriced ?? 0) }),
    cachedCalls: Number(calls.cached_calls ?? 0),
    savedUsd: Object.freeze({
      known: number(calls.saved_usd),
      unknownCalls: Number(calls.cached_calls ?? 0) - Number(calls.saved_stated ?? 0),
    }),
    configKey: text(speaker.config_key ?? calls.config_key),
    graphKey: text(speaker.graph_key ?? calls.graph_key),
    outcome: text(speaker.outcome) as RunOutcome | null,
  });
}

export function isSessionOpen(
  queries: Queries,
  { sessionId, runId, configKey }: { readonly sessionId: string; readonly runId: string; readonly configKey: string },
): boolean {
  const sql = 'SELECT 1 FROM sessions WHERE session_id = ? AND run_id = ? AND config_key = ? AND ended_at IS NULL';
  return queries.all(sql, [sessionId, runId, configKey]).length > 0;
}

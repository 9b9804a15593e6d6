import type { CallFilter } from '../core/ledger.js';
import type { SqlValue } from './database.js';

/** A condition and the values of its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

const columnOfField: Readonly<Record<keyof CallFilter, string>> = {
  runId: 'run_id',
  sessionId: 'session_id',
  configKey: 'config_key',
  graphKey: 'graph_key',
  graphRunId: 'graph_run_id',
  dataId: 'data_id',
  comboId: 'combo_id',
  agentId: 'agent_id',
};

/** The condition of a filter over `calls` or `sessions`; always true when the filter asks nothing. */
export function makeCondition(filter: CallFilter): Condition {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  for (const [field, column] of Object.entries(columnOfField)) {
    const wanted = filter[field as keyof CallFilter];
    if (wanted === undefined) continue;
    if (wanted === null) parts.push(`${column} IS NULL`);
    else {
      // NOTE: "=" and not "IS": only "=" tells the planner that the partial indexes hold every match.
      parts.push(`${column} = ?`);
      values.push(wanted);
    }
  }
  return { sql: parts.length === 0 ? 'TRUE' : parts.join(' AND '), values };
}

/** The calls of one tracker's sessions that a filter names. */
export function makeTrackerCondition(trackerId: string, filter: CallFilter): Condition {
  const { sql, values } = makeCondition(filter);
  const own = 'session_id IN (SELECT session_id FROM sessions WHERE tracker_id = ?)';
  return { sql: `${own} AND ${sql}`, values: [trackerId, ...values] };
}

/** The condition of a text beginning so, in a form an index can answer. */
export function makePrefixCondition(column: string, prefix: string): Condition {
  return { sql: `${column} >= ? AND ${column} < ?`, values: [prefix, `${prefix}\u{10FFFF}`] };
}

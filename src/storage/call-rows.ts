import type { CallRecord, Outcome, Protocol } from '../core/call-record.js';
import type { Cost } from '../core/cost.js';
import type { SessionIds } from '../core/session.js';
import type { Usage } from '../core/usage.js';
import { readBody } from './body-column.js';
import { makeDetailsText, readDetails } from './call-details.js';
import type { SqlValue } from './database.js';
import { readJson } from './json-column.js';

interface Column {
  readonly name: string;
  readonly read: (record: CallRecord) => SqlValue;
}

/** How each field of a record lies in the table, `seq` and the bodies apart. */
const columns: readonly Column[] = [
  { name: 'call_id', read: (r) => r.callId },
  { name: 'session_id', read: (r) => r.sessionId },
  { name: 'run_id', read: (r) => r.runId },
  { name: 'config_key', read: (r) => r.configKey },
  { name: 'variation_key', read: (r) => r.variationKey },
  { name: 'version', read: (r) => r.version },
  { name: 'graph_key', read: (r) => r.graphKey },
  { name: 'graph_run_id', read: (r) => r.graphRunId },
  { name: 'data_id', read: (r) => r.dataId },
  { name: 'combo_id', read: (r) => r.comboId },
  { name: 'agent_id', read: (r) => r.agentId },
  { name: 'provider', read: (r) => r.provider },
  { name: 'api', read: (r) => r.api },
  { name: 'method', read: (r) => r.method },
  { name: 'url', read: (r) => r.url },
  { name: 'requested_model', read: (r) => r.requestedModel },
  { name: 'routed_model', read: (r) => r.routedModel },
  { name: 'model', read: (r) => r.model },
  { name: 'stream', read: (r) => (r.stream ? 1 : 0) },
  { name: 'status', read: (r) => r.status },
  { name: 'outcome', read: (r) => r.outcome },
  { name: 'input_tokens', read: (r) => r.usage.inputTokens },
  { name: 'output_tokens', read: (r) => r.usage.outputTokens },
  { name: 'cache_read_tokens', read: (r) => r.usage.cacheReadTokens },
  { name: 'cache_write_tokens', read: (r) => r.usage.cacheWriteTokens },
  { name: 'reasoning_tokens', read: (r) => r.usage.reasoningTokens },
  { name: 'total_tokens', read: (r) => r.usage.totalTokens },
  { name: 'usage_problem', read: (r) => r.usageProblem },
  { name: 'started_at', read: (r) => r.startedAt },
  { name: 'latency_ms', read: (r) => r.latencyMs },
  { name: 'time_to_first_byte_ms', read: (r) => r.timeToFirstByteMs },
  { name: 'time_to_first_token_ms', read: (r) => r.timeToFirstTokenMs },
  { name: 'cached', read: (r) => (r.cached ? 1 : 0) },
  { name: 'finish_reasons', read: (r) => JSON.stringify(r.finishReasons) },
  { name: 'tool_calls', read: (r) => JSON.stringify(r.toolCalls) },
  { name: 'response_id', read: (r) => r.responseId },
  { name: 'request_id', read: (r) => r.requestId },
  { name: 'wire_session', read: (r) => (r.wireSession === null ? null : JSON.stringify(r.wireSession)) },
  { name: 'request_bytes', read: (r) => r.requestBytes },
  { name: 'response_bytes', read: (r) => r.responseBytes },
  { name: 'error_code', read: (r) => r.error?.code ?? null },
  { name: 'error_message', read: (r) => r.error?.message ?? null },
  { name: 'changes', read: (r) => JSON.stringify(r.changes) },
  { name: 'protocol', read: (r) => r.protocol },
  { name: 'partial', read: (r) => (r.partial ? 1 : 0) },
  { name: 'service_tier', read: (r) => r.serviceTier },
  { name: 'cost_usd', read: (r) => r.cost.usd },
  { name: 'saved_usd', read: (r) => r.cost.savedUsd },
  { name: 'reported_usd', read: (r) => r.cost.reportedUsd },
  { name: 'self_ms', read: (r) => r.selfMs },
  { name: 'details', read: makeDetailsText },
];

/** The columns in the order of `makeCallValues`. */
export const callColumns: readonly string[] = columns.map(({ name }) => name);

export function makeCallValues(record: CallRecord): SqlValue[] {
  return columns.map(({ read }) => read(record));
}

/** A row of `calls`, with `request` and `response` where bodies were asked for. */
export type CallRow = Readonly<Record<string, SqlValue>>;

export function makeRecord(row: CallRow): CallRecord {
  const { costProblem, costBasis, ...details } = readDetails(row.details);
  return Object.freeze({
    callId: readText(row, 'call_id'),
    sessionId: readText(row, 'session_id'),
    ...readIds(row),
    provider: readText(row, 'provider'),
    api: readText(row, 'api'),
    method: readText(row, 'method'),
    url: readText(row, 'url'),
    requestedModel: findText(row, 'requested_model'),
    routedModel: findText(row, 'routed_model'),
    model: findText(row, 'model'),
    stream: readNumber(row, 'stream') === 1,
    status: readNumber(row, 'status'),
    outcome: readText(row, 'outcome') as Outcome,
    partial: readNumber(row, 'partial') === 1,
    protocol: (findText(row, 'protocol') ?? 'http/1.1') as Protocol,
    usage: readUsage(row),
    usageProblem: findText(row, 'usage_problem'),
    ...details,
    cost: readCost(row, costProblem, costBasis),
    serviceTier: findText(row, 'service_tier'),
    startedAt: readText(row, 'started_at'),
    latencyMs: readNumber(row, 'latency_ms'),
    timeToFirstByteMs: findNumber(row, 'time_to_first_byte_ms'),
    timeToFirstTokenMs: findNumber(row, 'time_to_first_token_ms'),
    selfMs: findNumber(row, 'self_ms'),
    cached: readNumber(row, 'cached') === 1,
    finishReasons: readTexts(row.finish_reasons),
    toolCalls: readTexts(row.tool_calls),
    responseId: findText(row, 'response_id'),
    requestId: findText(row, 'request_id'),
    wireSession: readWireSession(row.wire_session),
    requestBytes: readNumber(row, 'request_bytes'),
    responseBytes: readNumber(row, 'response_bytes'),
    error: readError(row),
    changes: readTexts(row.changes),
    requestBody: readBody(row.request),
    responseBody: readBody(row.response),
  });
}

function readIds(row: CallRow): SessionIds {
  return {
    runId: readText(row, 'run_id'),
    configKey: findText(row, 'config_key'),
    variationKey: findText(row, 'variation_key'),
    version: findNumber(row, 'version'),
    graphKey: findText(row, 'graph_key'),
    graphRunId: findText(row, 'graph_run_id'),
    dataId: findText(row, 'data_id'),
    comboId: findText(row, 'combo_id'),
    agentId: findText(row, 'agent_id'),
  };
}

function readUsage(row: CallRow): Usage {
  return Object.freeze({
    inputTokens: findNumber(row, 'input_tokens'),
    outputTokens: findNumber(row, 'output_tokens'),
    cacheReadTokens: findNumber(row, 'cache_read_tokens'),
    cacheWriteTokens: findNumber(row, 'cache_write_tokens'),
    reasoningTokens: findNumber(row, 'reasoning_tokens'),
    totalTokens: findNumber(row, 'total_tokens'),
  });
}

function readCost(row: CallRow, problem: string | null, basis: Cost['basis']): Cost {
  const [usd, savedUsd, reportedUsd] = ['cost_usd', 'saved_usd', 'reported_usd'].map((name) => findNumber(row, name));
  return Object.freeze({
    usd: usd ?? null,
    problem,
    basis,
    savedUsd: savedUsd ?? null,
    reportedUsd: reportedUsd ?? null,
  });
}

function readError(row: CallRow): CallRecord['error'] {
  const code = findText(row, 'error_code');
  return code === null ? null : Object.freeze({ code, message: readText(row, 'error_message') });
}

function readText(row: CallRow, name: string): string {
  return String(row[name] ?? '');
}

function findText(row: CallRow, name: string): string | null {
  return row[name] == null ? null : String(row[name]);
}

function readNumber(row: CallRow, name: string): number {
  return Number(row[name] ?? 0);
}

function findNumber(row: CallRow, name: string): number | null {
  return row[name] == null ? null : Number(row[name]);
}

/** A list of strings out of a JSON column. */
export function readTexts(value: SqlValue | undefined): readonly string[] {
  const parsed = readJson(value);
  return Object.freeze(Array.isArray(parsed) ? parsed.map(String) : []);
}

function readWireSession(value: SqlValue | undefined): Readonly<Record<string, string>> | null {
  const parsed = readJson(value);
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return null;
  const said: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) if (typeof value === 'string') said[name] = value;
  return Object.freeze(said);
}

import type { CallRecord } from '../../core/call-record.js';
import type { Palette } from '../colour.js';
import { formatDuration, formatTime } from './duration.js';
import type { Cell, Column, Table } from './fit-columns.js';
import { formatCost, formatCount, unknownMark } from './number.js';
import { shortenId } from './runs.js';
import { readableLine } from './text.js';

const columns: readonly Column[] = [
  { title: 'call', align: 'left', rank: 0 },
  { title: 'started', align: 'left', rank: 4 },
  { title: 'model', align: 'left', rank: 0 },
  { title: 'api', align: 'left', rank: 6 },
  { title: 'ended', align: 'left', rank: 0 },
  { title: 'input', align: 'right', rank: 0 },
  { title: 'cached', align: 'right', rank: 7 },
  { title: 'output', align: 'right', rank: 0 },
  { title: 'cost', align: 'right', rank: 3 },
  { title: 'latency', align: 'right', rank: 1 },
  { title: 'first token', align: 'right', rank: 5 },
];

/** One row a call, in the order given. */
export function makeCallsTable(calls: readonly CallRecord[], palette: Palette): Table {
  return { columns, rows: calls.map((call) => makeRow(call, palette)) };
}

function makeRow(call: CallRecord, palette: Palette): readonly Cell[] {
  const { usage } = call;
  return [
    { text: shortenId(call.callId), paint: palette.cyan },
    { text: formatTime(call.startedAt) },
    { text: call.model === null ? unknownMark : readableLine(call.model) },
    { text: call.api },
    makeOutcomeCell(call, palette),
    { text: formatCount(usage.inputTokens) },
    { text: formatCount(usage.cacheReadTokens) },
    { text: formatCount(usage.outputTokens) },
    { text: formatCost(call.cost.usd) },
    { text: formatDuration(call.latencyMs) },
    { text: formatDuration(call.timeToFirstTokenMs) },
  ];
}

/** `ok`, `ok, from cache`, `429`, `upstream aborted`; `ok, with error` when the reply had a status below 400 and stated an error inside. */
export function makeOutcomeCell(call: CallRecord, palette: Palette): Cell {
  if (call.outcome === 'ok' && call.error !== null) return { text: 'ok, with error', paint: palette.red };
  if (call.outcome === 'ok') return { text: call.cached ? 'ok, from cache' : 'ok', paint: palette.green };
  const text = call.outcome === 'http_error' ? String(call.status) : call.outcome.replace('_', ' ');
  return { text, paint: call.outcome === 'client_aborted' ? palette.yellow : palette.red };
}

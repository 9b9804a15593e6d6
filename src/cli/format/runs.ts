import type { RunRow } from '../../core/ledger.js';
import type { Palette } from '../colour.js';
import { formatDuration, formatTime } from './duration.js';
import type { Cell, Column, Table } from './fit-columns.js';
import { makeLegend } from './legend.js';
import { formatCostSum, formatCount, formatPlural, unknownMark } from './number.js';
import { formatUnpriced } from './summary.js';
import { cutText, readableLine } from './text.js';

const columns: readonly Column[] = [
  { title: 'run', align: 'left', rank: 0 },
  { title: 'started', align: 'left', rank: 0 },
  { title: 'took', align: 'right', rank: 7 },
  { title: 'exit', align: 'right', rank: 6 },
  { title: 'calls', align: 'right', rank: 0 },
  { title: 'errors', align: 'right', rank: 3 },
  { title: 'from cache', align: 'right', rank: 8 },
  { title: 'input', align: 'right', rank: 1 },
  { title: 'output', align: 'right', rank: 1 },
  { title: 'cost', align: 'right', rank: 2 },
  { title: 'models', align: 'left', rank: 4 },
  { title: 'config', align: 'left', rank: 9 },
  { title: 'command', align: 'left', rank: 5 },
];

/** Longest command and model list shown. */
const longestText = 40;

/** One row a run, in the order given. */
export function makeRunsTable(runs: readonly RunRow[], palette: Palette): Table {
  const table = { columns, rows: runs.map((run) => makeRow(run, palette)) };
  const named = runs.some((run) => run.configKey !== null) ? table : withoutColumn(table, 'config');
  return runs.some((run) => run.cachedCalls > 0) ? named : withoutColumn(named, 'from cache');
}

function makeRow(run: RunRow, palette: Palette): readonly Cell[] {
  const isLowerBound = run.unknownUsage > 0;
  return [
    { text: shortenId(run.runId), paint: palette.cyan },
    { text: formatTime(run.startedAt) },
    { text: formatDuration(run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.startedAt)) },
    makeExitCell(run.exitCode, palette),
    { text: formatCount(run.calls) },
    { text: formatCount(run.errors), ...(run.errors > 0 ? { paint: palette.red } : {}) },
    { text: formatCount(run.cachedCalls) },
    { text: formatBound(run.inputTokens, isLowerBound) },
    { text: formatBound(run.outputTokens, isLowerBound) },
    { text: formatCostSum(run.costUsd) },
    { text: formatModels(run.models) },
    { text: run.configKey === null ? '' : readableLine(run.configKey) },
    { text: run.command === null ? unknownMark : cutText(readableLine(run.command.join(' ')), longestText) },
  ];
}

function makeExitCell(exitCode: number | null, palette: Palette): Cell {
  if (exitCode === null) return { text: unknownMark };
  return { text: String(exitCode), ...(exitCode === 0 ? {} : { paint: palette.yellow }) };
}

function formatBound(tokens: number | null, isLowerBound: boolean): string {
  return tokens !== null && isLowerBound ? `≥ ${formatCount(tokens)}` : formatCount(tokens);
}

function formatModels(models: readonly string[]): string {
  const [first, ...others] = models;
  if (first === undefined) return unknownMark;
  const text = others.length === 0 ? first : `${first} +${others.length}`;
  return cutText(readableLine(text), longestText);
}

/** The first eight characters of a UUID, which name it well enough; other ids whole. */
export function shortenId(id: string): string {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id) ? id.slice(0, 8) : readableLine(id);
}

/** What `≥` and `–` mean in the table as printed; `null` when neither occurs there. */
export function makeRunsFootnote(printed: Table, runs: readonly RunRow[]): string | null {
  const unknown = runs.reduce((sum, run) => sum + run.unknownUsage, 0);
  const unpriced = runs.reduce((sum, run) => sum + run.costUsd.unknownCalls, 0);
  const reasons = [
    ...(unknown === 0 ? [] : [`${formatPlural(unknown, 'call')} did not state all tokens`]),
    ...(unpriced === 0 ? [] : [formatUnpriced(unpriced)]),
  ];
  return makeLegend(printed, reasons.length === 0 ? null : reasons.join('; '));
}

function withoutColumn(table: Table, title: string): Table {
  const at = table.columns.findIndex((column) => column.title === title);
  const drop = <T>(list: readonly T[]) => list.filter((_, index) => index !== at);
  return { columns: drop(table.columns), rows: table.rows.map((row) => drop(row)) };
}

import type { ModelSummary, Summary, TokenSum } from '../../core/ledger.js';
import type { Palette } from '../colour.js';
import { formatDuration } from './duration.js';
import type { Cell, Column, Table } from './fit-columns.js';
import { makeLegend } from './legend.js';
import { addTokenSums, formatCostSum, formatCount, formatPlural, formatTokenSum, unknownMark } from './number.js';
import { readableLine } from './text.js';

interface Field extends Column {
  readonly cell: (row: ModelSummary, palette: Palette) => Cell;
  readonly total: (rows: readonly ModelSummary[], palette: Palette) => Cell;
}

const fields: readonly Field[] = [
  {
    title: 'model',
    align: 'left',
    rank: 0,
    cell: (row) => ({ text: nameModel(row) }),
    total: () => ({ text: 'total' }),
  },
  {
    title: 'provider',
    align: 'left',
    rank: 9,
    cell: (row) => ({ text: readableLine(row.provider) }),
    total: () => ({ text: '' }),
  },
  {
    title: 'calls',
    align: 'right',
    rank: 0,
    cell: (row) => ({ text: formatCount(row.calls) }),
    total: (rows) => ({ text: formatCount(addUp(rows, (row) => row.calls)) }),
  },
  {
    title: 'errors',
    align: 'right',
    rank: 1,
    cell: (row, palette) => makeErrorCell(row.errors, palette),
    total: (rows, palette) =>
      makeErrorCell(
        addUp(rows, (row) => row.errors),
        palette,
      ),
  },
  makeTokenField('input', 0, (row) => row.inputTokens),
  makeTokenField('cached', 4, (row) => row.cacheReadTokens),
  makeTokenField('cache write', 8, (row) => row.cacheWriteTokens),
  makeTokenField('output', 0, (row) => row.outputTokens),
  makeTokenField('reasoning', 6, (row) => row.reasoningTokens),
  {
    title: 'cost',
    align: 'right',
    rank: 1,
    cell: (row) => ({ text: formatCostSum(row.costUsd) }),
    total: (rows) => ({ text: formatCostSum(addTokenSums(rows.map((row) => row.costUsd))) }),
  },
  {
    title: 'p50',
    align: 'right',
    rank: 2,
    cell: (row) => ({ text: formatDuration(row.latencyP50Ms) }),
    // The median of everything cannot be had from the medians of its parts.
    total: () => ({ text: '' }),
  },
  {
    title: 'max',
    align: 'right',
    rank: 5,
    cell: (row) => ({ text: formatDuration(row.latencyMaxMs) }),
    total: (rows) => ({ text: formatDuration(Math.max(...rows.map((row) => row.latencyMaxMs))) }),
  },
  {
    title: 'first token',
    align: 'right',
    rank: 3,
    cell: (row) => ({ text: formatDuration(row.timeToFirstTokenP50Ms) }),
    total: () => ({ text: '' }),
  },
];

/** One row a model, and a total when there are several. */
export function makeSummaryTable(models: readonly ModelSummary[], palette: Palette): Table {
  const columns = fields.filter((field) => field.title !== 'cache write' || models.some(writesCache));
  return {
    columns,
    rows: models.map((row) => columns.map((field) => field.cell(row, palette))),
    ...(models.length > 1 ? { total: columns.map((field) => field.total(models, palette)) } : {}),
  };
}

/** What `≥` and `–` mean in the table as printed; `null` when neither occurs there. */
export function makeFootnote(printed: Table, models: readonly ModelSummary[]): string | null {
  const input = addTokenSums(models.map((row) => row.inputTokens)).unknownCalls;
  const output = addTokenSums(models.map((row) => row.outputTokens)).unknownCalls;
  const unpriced = addTokenSums(models.map((row) => row.costUsd)).unknownCalls;
  const reasons = [
    ...(input + output === 0 ? [] : [`no reply stated ${nameUnstated(input, output)}`]),
    ...(unpriced === 0 ? [] : [formatUnpriced(unpriced)]),
  ];
  return makeLegend(printed, reasons.length === 0 ? null : reasons.join('; '));
}

/** What a budget kept from being sent; `null` where nothing was. */
export function explainRefused({ refusedCalls }: Summary): string | null {
  if (refusedCalls === 0) return null;
  return `${formatPlural(refusedCalls, 'call')} ${refusedCalls === 1 ? 'was' : 'were'} refused and sent to nobody: the budget had no room.`;
}

/** `3 of 5 calls from a cache or recording: 1,024 tokens, $0.0012 and 3.20 s saved.`; `null` where none was. */
export function formatSaved(models: readonly ModelSummary[]): string | null {
  const cached = addUp(models, (row) => row.cachedCalls);
  if (cached === 0) return null;
  const tokens = addTokenSums(models.flatMap(({ saved }) => [saved.inputTokens, saved.outputTokens]));
  const usd = addTokenSums(models.map(({ saved }) => saved.usd));
  const parts = [
    ...(tokens.known === null ? [] : [`${formatTokenSum(tokens)} tokens`]),
    ...(usd.known === null ? [] : [formatCostSum(usd)]),
    formatDuration(addUp(models, ({ saved }) => saved.latencyMs)),
  ].filter((part) => part !== unknownMark);
  const list = parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}` : (parts[0] ?? '');
  return `${formatCount(cached)} of ${formatPlural(
    addUp(models, (row) => row.calls),
    'call',
  )} from a cache or recording: ${list} saved.`;
}

/** `1 call has no price`. */
export function formatUnpriced(calls: number): string {
  return `${formatPlural(calls, 'call')} ${calls === 1 ? 'has' : 'have'} no price`;
}

function nameUnstated(input: number, output: number): string {
  if (input === output) return `the input and output of ${formatPlural(input, 'call')}`;
  const parts = [
    ...(input > 0 ? [`the input of ${formatPlural(input, 'call')}`] : []),
    ...(output > 0 ? [`the output of ${formatPlural(output, 'call')}`] : []),
  ];
  return parts.join(' and ');
}

function makeTokenField(title: string, rank: number, read: (row: ModelSummary) => TokenSum): Field {
  return {
    title,
    align: 'right',
    rank,
    cell: (row) => ({ text: formatTokenSum(read(row)) }),
    total: (rows) => ({ text: formatTokenSum(addTokenSums(rows.map(read))) }),
  };
}

function nameModel(row: ModelSummary): string {
  return row.model === null ? '(not named)' : readableLine(row.model);
}

function makeErrorCell(errors: number, palette: Palette): Cell {
  return { text: formatCount(errors), ...(errors > 0 ? { paint: palette.red } : {}) };
}

function writesCache(row: ModelSummary): boolean {
  return (row.cacheWriteTokens.known ?? 0) > 0;
}

function addUp(rows: readonly ModelSummary[], read: (row: ModelSummary) => number): number {
  return rows.reduce((sum, row) => sum + read(row), 0);
}

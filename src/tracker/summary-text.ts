import type { CallRecord } from '../core/call-record.js';
import { formatUsd } from '../core/format-usd.js';
import type { ModelSummary, TokenSum } from '../core/ledger.js';
import type { DataGroup, TrackerSummary } from '../core/tracker-summary.js';

const unknownMark = '–';

/**
 * A tracker's summary as a person reads it: with calls of more than one `dataId` a block for each, calls without one
 * last; else the calls in order. Then tokens by model and provider, then everything together.
 *
 * @param calls the first calls, oldest first; when there are more, the text says how many
 */
export function formatTrackerSummary(summary: TrackerSummary, calls: readonly CallRecord[]): string {
  if (summary.calls === 0) return '(no calls recorded)\n';
  const isGrouped = summary.groups.filter(({ dataId }) => dataId !== null).length > 1;
  const listed = isGrouped ? formatGroups(summary.groups, calls) : formatCalls(calls);
  const left = summary.calls - calls.length;
  const more = left > 0 ? [`… and ${formatPlural(left, 'more call')}`] : [];
  const total = `${formatPlural(summary.calls, 'call')}, ${formatPlural(summary.errors, 'error')}, ${formatTime(summary.latencyMs)} in calls${formatTotalCost(summary.models)}${formatSaved(summary.models)}`;
  return `${[...listed, ...more, '', ...formatModels(summary.models), '', total].join('\n')}\n`;
}

function formatTotalCost(models: readonly ModelSummary[]): string {
  const known = models.flatMap(({ costUsd }) => (costUsd.known === null ? [] : [costUsd.known]));
  if (known.length === 0) return '';
  const unknownCalls = models.reduce((sum, { costUsd }) => sum + costUsd.unknownCalls, 0);
  return `, ${formatCost({ known: known.reduce((sum, usd) => sum + usd, 0), unknownCalls })}`;
}

function formatSaved(models: readonly ModelSummary[]): string {
  const cached = models.reduce((sum, { cachedCalls }) => sum + cachedCalls, 0);
  if (cached === 0) return '';
  const known = models.flatMap(({ saved }) => (saved.usd.known === null ? [] : [saved.usd.known]));
  const unknownCalls = models.reduce((sum, { saved }) => sum + saved.usd.unknownCalls, 0);
  const usd = known.length === 0 ? null : { known: known.reduce((sum, part) => sum + part, 0), unknownCalls };
  return `; ${cached} from the cache${usd === null ? '' : `, ${formatCost(usd)} saved`}`;
}

function formatGroups(groups: readonly DataGroup[], calls: readonly CallRecord[]): string[] {
  return groups.flatMap((group) => {
    const name = group.dataId === null ? 'without a data id' : `data ${makeReadable(group.dataId)}`;
    const own = calls.filter(({ dataId }) => dataId === group.dataId);
    return [
      `${name}: ${formatPlural(group.calls, 'call')}, ${formatTime(group.latencyMs)} in calls`,
      ...formatCalls(own).map((line) => `  ${line}`),
    ];
  });
}

function formatCalls(calls: readonly CallRecord[]): string[] {
  const rows = calls.map((call, i) => [
    String(i + 1),
    makeReadable(call.model ?? '(unknown)'),
    formatTime(call.latencyMs),
    call.cached ? 'cached' : call.error === null ? '' : makeReadable(call.error.code),
  ]);
  return alignColumns(rows, ['right', 'left', 'right', 'left']);
}

function formatModels(models: readonly ModelSummary[]): string[] {
  const head = ['model', 'provider', 'calls', 'input', 'output', 'total', 'cost'];
  const sorted = [...models].sort(
    (a, b) => compareText(a.model ?? '', b.model ?? '') || compareText(a.provider, b.provider),
  );
  const rows = sorted.map((row) => [
    makeReadable(row.model ?? '(unknown)'),
    makeReadable(row.provider),
    String(row.calls),
    formatSum(row.inputTokens),
    formatSum(row.outputTokens),
    formatSum(row.totalTokens),
    formatCost(row.costUsd),
  ]);
  const lines = alignColumns([head, ...rows], ['left', 'left', 'right', 'right', 'right', 'right', 'right']);
  const isPartial = models.some((row) =>
    [row.inputTokens, row.outputTokens, row.totalTokens, row.costUsd].some(isPartlyKnown),
  );
  return isPartial ? [...lines, '+ some calls did not state it, or have no price'] : lines;
}

function isPartlyKnown({ known, unknownCalls }: TokenSum): boolean {
  return known !== null && unknownCalls > 0;
}

function formatSum(sum: TokenSum): string {
  if (sum.known === null) return unknownMark;
  return `${sum.known}${isPartlyKnown(sum) ? '+' : ''}`;
}

function formatCost(sum: TokenSum): string {
  if (sum.known === null) return unknownMark;
  return `${formatUsd(sum.known)}${isPartlyKnown(sum) ? '+' : ''}`;
}

function formatTime(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function formatPlural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text from the wire, safe to print: control characters could move a cursor. */
function makeReadable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function alignColumns(rows: readonly (readonly string[])[], sides: readonly ('left' | 'right')[]): string[] {
  const widths = sides.map((_, i) => Math.max(0, ...rows.map((row) => Array.from(row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const gap = ' '.repeat((widths[i] ?? 0) - Array.from(cell).length);
        return sides[i] === 'right' ? `${gap}${cell}` : `${cell}${gap}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

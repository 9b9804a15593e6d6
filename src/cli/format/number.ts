import { formatUsd } from '../../core/format-usd.js';
import type { TokenSum } from '../../core/ledger.js';

/** Printed where a number is not known. */
export const unknownMark = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12345` → `12,345`; unknown → `–`. */
export function formatCount(count: number | null): string {
  return count === null ? unknownMark : grouped.format(count);
}

/** `3, 'call'` → `3 calls`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1,234`; `≥ 1,234` when some calls did not state theirs; `–` when none did. */
export function formatTokenSum(sum: TokenSum): string {
  if (sum.known === null) return unknownMark;
  return sum.unknownCalls > 0 ? `≥ ${formatCount(sum.known)}` : formatCount(sum.known);
}

/** `$0.0012`; unknown → `–`. */
export function formatCost(usd: number | null): string {
  return usd === null ? unknownMark : formatUsd(usd);
}

/** `$0.0012`; `≥ $0.0012` when some calls have no price; `–` when none has. */
export function formatCostSum(sum: TokenSum): string {
  if (sum.known === null) return unknownMark;
  return sum.unknownCalls > 0 ? `≥ ${formatUsd(sum.known)}` : formatUsd(sum.known);
}

/** Adds sums as sums of calls: unknown only when every part is. */
export function addTokenSums(sums: readonly TokenSum[]): TokenSum {
  const known = sums.flatMap((sum) => (sum.known === null ? [] : [sum.known]));
  return {
    known: known.length === 0 ? null : known.reduce((total, part) => total + part, 0),
    unknownCalls: sums.reduce((total, sum) => total + sum.unknownCalls, 0),
  };
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units with three significant digits: `1.42 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(Math.round(value)) : formatThreeDigits(value)} ${byteUnits[unit]}`;
}

/** `1.42`, `14.2`, `142`. */
export function formatThreeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

import type { Table } from './fit-columns.js';
import { unknownMark } from './number.js';

/**
 * What `≥` and `–` mean, for the marks the table as printed has; `null` when it has none. A reason, where one is
 * given, ends the sentence.
 */
export function makeLegend({ rows, total = [] }: Table, reason: string | null): string | null {
  const texts = [...rows.flat(), ...total].map((cell) => cell.text);
  const meanings: string[] = [];
  if (texts.some((text) => text.startsWith('≥ '))) meanings.push('≥ is a lower bound');
  if (texts.includes(unknownMark)) meanings.push(`${unknownMark} is not known, or there is none`);
  if (meanings.length === 0) return null;
  return `${meanings.join('; ')}${reason === null ? '' : `: ${reason}`}.`;
}

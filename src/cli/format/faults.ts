import type { Palette } from '../colour.js';
import { endSentence } from '../print-error.js';
import type { CountedFault } from '../run/collect-faults.js';
import { formatCount, formatPlural } from './number.js';
import { readableBlock } from './text.js';

/** How many kinds are told in full. */
const mostTold = 10;

/** Each fault as a sentence with its hint below and, when it came more than once, how often. Ends with a line break. */
export function formatFaults(faults: readonly CountedFault[], beyond: number, palette: Palette): string {
  const told = faults.slice(0, mostTold).map(({ fault, count }) => {
    const times = count > 1 ? palette.dim(` (${formatCount(count)} times)`) : '';
    const hint = fault.hint === null ? '' : `\n  ${palette.dim('hint:')} ${readableBlock(fault.hint)}`;
    return `${palette.yellow('llmtap:')} ${readableBlock(endSentence(fault.message))}${times}${hint}\n`;
  });
  const untold = faults.slice(mostTold).reduce((sum, { count }) => sum + count, beyond);
  if (untold > 0) told.push(palette.dim(`llmtap: and ${formatPlural(untold, 'more fault')}.\n`));
  return told.join('');
}

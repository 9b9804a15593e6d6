import type { RunEvent } from '../../core/run-events.js';
import type { Palette } from '../colour.js';
import { formatTime } from './duration.js';
import { unknownMark } from './number.js';
import { shortenId } from './runs.js';
import { readableLine } from './text.js';

const nameWidth = 34;
const valueWidth = 10;

/** What stands in its own column, or with its run. */
const told: ReadonlySet<string> = new Set([
  'runId',
  'version',
  'modelVersion',
  'modelName',
  'providerName',
  'modelKey',
]);

/** One line: when, of which run, what, its value, who says so, and what else its data says. */
export function formatEvent(event: RunEvent, palette: Palette): string {
  const name = readableLine(event.name.replace(/^\$ld:ai:/, ''));
  const value = event.value === null ? unknownMark : String(Math.round(event.value * 1000) / 1000);
  const paint = /:(?:error|negative|invocation_failure)$/.test(event.name) ? palette.red : (text: string) => text;
  return [
    formatTime(event.at),
    palette.cyan((event.runId === null ? unknownMark : shortenId(event.runId)).padEnd(8)),
    paint(name.padEnd(nameWidth)),
    value.padStart(valueWidth),
    event.source.padEnd(6),
    palette.dim(formatData(event)),
  ]
    .join('  ')
    .trimEnd();
}

function formatData({ data }: RunEvent): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return data === null ? '' : readableLine(JSON.stringify(data));
  }
  return Object.entries(data)
    .filter(([name]) => !told.has(name))
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return readableLine(`${name}=${name === 'callId' ? shortenId(text) : text}`);
    })
    .join(' ');
}

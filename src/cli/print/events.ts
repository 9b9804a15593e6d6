import type { RunEvent } from '../../core/run-events.js';
import { makePalette } from '../colour.js';
import { formatEvent } from '../format/events.js';
import type { CliIo } from '../io.js';

/** Prints a line an event. Columns have a width from the start: what comes later is not known. */
export function makeEventPrinter(io: CliIo): (events: Iterable<unknown>) => void {
  const palette = makePalette(io.stdout, io.env);
  return (events) => {
    for (const event of events as Iterable<RunEvent>) io.stdout.write(`${formatEvent(event, palette)}\n`);
  };
}

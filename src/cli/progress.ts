import { cutText } from './format/text.js';
import type { CliIo } from './io.js';

/** A line on stderr that is written over and over, on a terminal only. */
export interface Progress {
  show(text: string): void;
  clear(): void;
}

/** Source: https://www.ecma-international.org/publications-and-standards/standards/ecma-48 8.3.41, EL (read 2026-11-27). */
const eraseLine = '\r\u001b[K';

export function openProgress({ stderr, env }: CliIo): Progress {
  const isShown = stderr.isTty && env.TERM !== 'dumb';
  return {
    show: (text) => {
      if (isShown) stderr.write(`${eraseLine}${cutText(text, (stderr.columns() ?? 80) - 1)}`);
    },
    clear: () => {
      if (isShown) stderr.write(eraseLine);
    },
  };
}

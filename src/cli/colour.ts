import { createColors } from 'picocolors';

/** The few styles the program prints with; each returns its text unchanged when colour is off. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** The palette for one stream: colours on a terminal only, unless the user's variables say otherwise. */
export function makePalette(
  stream: { readonly isTty: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Palette {
  const { bold, dim, red, yellow, green, cyan } = createColors(wantsColour(stream.isTty, env));
  return { bold, dim, red, yellow, green, cyan };
}

/**
 * `NO_COLOR` (https://no-color.org, read 2026-11-21: any value but the empty one) wins over `FORCE_COLOR`, whose `0`
 * and `false` mean off.
 */
export function wantsColour(isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  if (forced) return forced !== '0' && forced !== 'false';
  return isTty && env.TERM !== 'dumb';
}

import { findSpans } from './redaction-spans.js';
import { makeAmbientSet } from './secrets.js';

/** A command line has fewer secrets and shorter ones than these; bounds all the same. */
const maxSecrets = 64;
const maxLength = 4096;

const mask = '[redacted:argument]';
const noSecrets = makeAmbientSet([]);

/**
 * The secrets that a command line shows by their place or their form, so that they can be searched for in its other
 * arguments, in any form: what `maskCommand` took out, and what looks like a credential in what it left.
 *
 * @param masked what `maskCommand` made of `argv`
 */
export function collectCommandSecrets(argv: readonly string[], masked: readonly string[]): string[] {
  const found = new Set<string>();
  for (const [i, argument] of argv.entries()) {
    const left = masked[i] ?? '';
    for (const value of findTakenOut(argument, left)) addParts(found, value);
    for (const { start, end } of findSpans(left, noSecrets)) addParts(found, left.slice(start, end));
  }
  return [...found].filter(({ length }) => length <= maxLength).slice(0, maxSecrets);
}

/** What stood where the masks stand: all between what was left before and after each. */
function findTakenOut(argument: string, masked: string): string[] {
  if (argument === masked) return [];
  const [first = '', ...others] = masked.split(mask);
  const values: string[] = [];
  let at = first.length;
  for (const [i, part] of others.entries()) {
    const isLast = i === others.length - 1;
    const end = isLast ? argument.length - part.length : argument.indexOf(part, at + 1);
    if (end < at) break;
    values.push(argument.slice(at, end));
    at = end + part.length;
  }
  return values;
}

/** `Bearer TOKEN`, `Basic BASE64`, `USER:PASSWORD` and a value in quotes hold a secret shorter than themselves. */
function addParts(found: Set<string>, value: string): void {
  const bare = value.replace(/^(["'])(.*)\1$/s, '$2');
  const [, scheme = '', token = bare] = /^(bearer|basic)(?:\s|%20|\+)+(.*)$/is.exec(bare) ?? [];
  found.add(token);
  const pair = scheme.toLowerCase() === 'basic' ? Buffer.from(token, 'base64').toString('utf8') : token;
  const colon = pair.indexOf(':');
  if (colon >= 0) found.add(pair).add(pair.slice(colon + 1).trim());
}

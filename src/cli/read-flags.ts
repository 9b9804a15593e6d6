import { TrackerError } from '../core/errors.js';
import type { BodyPolicy } from '../core/ledger.js';

/** A whole number of at least `least`. Throws `OPTION_INVALID`. */
export function makeWholeNumberReader(flag: string, least: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least) return number;
    throw makeInvalid(flag, value, `is no whole number of at least ${least}`, `Write it in digits, as in ${flag} 20.`);
  };
}

const longestId = 256;

/** An id the user gives a run or a call: one line, neither empty nor endless. Throws `OPTION_INVALID`. */
export function makeIdReader(flag: string): (value: string) => string {
  return (value) => {
    const hint = `Give ${flag} 1 to ${longestId} characters without line breaks.`;
    if (value.trim() === '') throw makeInvalid(flag, value, 'is empty', hint);
    if (value.length > longestId) throw makeInvalid(flag, `${value.slice(0, 20)}…`, 'is too long', hint);
    if (/\p{Cc}/u.test(value)) throw makeInvalid(flag, JSON.stringify(value), 'has control characters', hint);
    return value;
  };
}

const bodyPolicies: readonly BodyPolicy[] = ['none', 'redacted', 'full'];

/** Throws `OPTION_INVALID`. */
export function readBodyPolicy(value: string): BodyPolicy {
  const policy = bodyPolicies.find((candidate) => candidate === value);
  if (policy !== undefined) return policy;
  throw makeInvalid('--bodies', value, 'is no policy for bodies', `Use one of ${bodyPolicies.join(', ')}.`);
}

/** A comma-separated variable as the values of a repeatable flag; absent and empty are none. */
export function readList(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * An instant as UTC, ISO 8601: an age counted back from `nowMs` (`30d`, `12h`, `2w`, `90m`), a day in local time
 * (`2026-11-01`), or a full timestamp. Throws `OPTION_INVALID`.
 */
export function readInstant(flag: string, value: string, nowMs: number): string {
  const age = /^(\d{1,6})([mhdw])$/.exec(value);
  if (age !== null) return new Date(nowMs - Number(age[1]) * (unitMs[age[2] ?? 'd'] ?? 0)).toISOString();
  const at = readDate(value);
  if (at !== undefined) return at.toISOString();
  throw makeInvalid(flag, value, 'is neither a date nor an age', `Write ${flag} 2026-11-01, or ${flag} 30d.`);
}

function readDate(value: string): Date | undefined {
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  if (day !== null) {
    const at = new Date(Number(day[1]), Number(day[2]) - 1, Number(day[3]));
    // `new Date(2026, 1, 31)` is the third of March.
    return at.getMonth() === Number(day[2]) - 1 && at.getDate() === Number(day[3]) ? at : undefined;
  }
  if (!/^\d{4}-\d{2}-\d{2}T/.test(value)) return undefined;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

const spanMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, ...unitMs };

/** A length of time in milliseconds: `90` or `90s`, `5m`, `12h`, `7d`, `2w`. Throws `OPTION_INVALID`. */
export function readSpan(flag: string, value: string): number {
  const span = /^(\d{1,7})([smhdw]?)$/.exec(value);
  if (span !== null) return Number(span[1]) * (spanMs[span[2] ?? ''] ?? 1000);
  throw makeInvalid(flag, value, 'is no length of time', `Write it as in ${flag} 90s, 5m, 12h or 7d.`);
}

const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A size in bytes: `500MB`, `1.5 GB`, `64MiB`, `1000`. Throws `OPTION_INVALID`. */
export function readSize(flag: string, value: string): number {
  const size = /^(\d{1,12}(?:\.\d{1,6})?) ?([kmgt]?i?b)?$/i.exec(value);
  const unit = size === null ? undefined : unitBytes[(size[2] ?? 'b').toLowerCase()];
  if (size !== null && unit !== undefined) return Math.round(Number(size[1]) * unit);
  throw makeInvalid(flag, value, 'is no size', `Write it as in ${flag} 500MB.`);
}

/** The error of a flag whose value cannot be used. */
export function makeInvalid(flag: string, value: string, problem: string, hint: string): TrackerError {
  return new TrackerError('OPTION_INVALID', `The value "${value}" of ${flag} ${problem}.`, { hint });
}

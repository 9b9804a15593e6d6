import type { Dedupe } from '../core/host.js';
import { isObject, isText } from '../core/option-checks.js';
import { maxContextChars } from '../core/tap-sink.js';
import { makeIdReader, makeInvalid } from './read-flags.js';

const hint = 'Give a user\'s key, KIND:KEY, or a context as JSON: --context \'{"kind":"user","key":"user-1"}\'.';
const readKey = makeIdReader('--context');

/**
 * Who or what a run is for, as flags know it: `user-1` is a user, `org:acme` of the kind `org`, and a text that begins with
 * `{` is a context as it is, one kind's or several's. Throws `OPTION_INVALID`. Source of the format: js-core
 * packages/shared/common, src/Context.ts (a kind is of letters, digits, `.`, `_` and `-`, and not `kind`), read 2026-11-27.
 *
 * @example
 * readContextFlag('org:acme'); // { kind: 'org', key: 'acme' }
 */
export function readContextFlag(value: string): object {
  if (value.trimStart().startsWith('{')) return readJson(value);
  const text = readKey(value);
  const colon = text.indexOf(':');
  const kind = colon < 0 ? 'user' : text.slice(0, colon);
  const key = text.slice(colon + 1);
  if (!isKind(kind)) throw makeInvalid('--context', value, 'is of no kind there is', hint);
  if (key.trim() === '') throw makeInvalid('--context', value, 'has no key', hint);
  return { kind, key };
}

function readJson(value: string): object {
  const refuse = (problem: string) =>
    makeInvalid('--context', value.length > 20 ? `${value.slice(0, 20)}…` : value, problem, hint);
  if (value.length > maxContextChars) throw refuse(`is longer than ${maxContextChars} characters`);
  let context: unknown;
  try {
    context = JSON.parse(value);
  } catch {
    throw refuse('is no JSON');
  }
  const { kind, key, ...others } = context as Readonly<Record<string, unknown>>;
  const isOne = isKind(kind) && isText(key);
  const isMulti = kind === 'multi' && Object.entries(others).every(([name, one]) => isKind(name) && hasKey(one));
  if (!isOne && !(isMulti && Object.keys(others).length > 0)) throw refuse('has no kind with a key');
  return context as object;
}

function isKind(kind: unknown): boolean {
  return typeof kind === 'string' && /^[\w.-]+$/.test(kind) && kind !== 'kind' && kind !== 'multi';
}

function hasKey(context: unknown): boolean {
  return isObject(context) && isText((context as { readonly key?: unknown }).key);
}

/** Throws `OPTION_INVALID`. */
export function readDedupe(value: string): Dedupe {
  if (value === 'run' || value === 'tracker') return value;
  throw makeInvalid('--dedupe', value, 'is neither', 'Use run or tracker.');
}

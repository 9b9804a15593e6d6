import { isObject } from '../cache/canonical-json.js';
import type { JsonValue } from '../core/call-record.js';
import type { RequestForm } from './interaction.js';

/** A place where two requests differ. */
export interface Difference {
  /** `body.messages[2].content`. */
  readonly where: string;
  /** `undefined` where there is nothing. */
  readonly recorded: JsonValue | undefined;
  readonly asked: JsonValue | undefined;
}

/** So many places are told apart; more say no more. */
const mostDifferences = 20;
const mostDepth = 40;
/** As much of a value is shown. */
const shownLength = 60;

/** Where two requests differ, the first places first. Pure. */
export function listDifferences(recorded: RequestForm, asked: RequestForm): readonly Difference[] {
  const differences: Difference[] = [];
  for (const name of ['method', 'origin', 'path', 'provider', 'api', 'variant'] as const) {
    compare({ where: name, recorded: recorded[name], asked: asked[name] }, differences, 0);
  }
  for (const name of ['query', 'headers'] as const) {
    const [one, other] = [Object.fromEntries(recorded[name]), Object.fromEntries(asked[name])];
    compare({ where: name, recorded: one, asked: other }, differences, 0);
  }
  const body = (form: RequestForm): JsonValue => ('json' in form.body ? form.body.json : { ...form.body });
  compare({ where: 'body', recorded: body(recorded), asked: body(asked) }, differences, 0);
  return differences;
}

/** The request that differs in the fewest places; `null` of none. */
export function findNearest<T extends { readonly form: RequestForm }>(
  all: readonly T[],
  asked: RequestForm,
): { readonly nearest: T; readonly differences: readonly Difference[] } | null {
  let found: { readonly nearest: T; readonly differences: readonly Difference[]; readonly weight: number } | null =
    null;
  for (const one of all) {
    const differences = listDifferences(one.form, asked);
    const weight = differences.reduce((sum, { where }) => sum + (/^(?:body|query|headers)/.test(where) ? 1 : 100), 0);
    if (found === null || weight < found.weight) found = { nearest: one, differences, weight };
  }
  return found;
}

/** `body.messages[0].content is "Hello", and "Hi" in the recording`. */
export function formatDifference({ where, recorded, asked }: Difference): string {
  const at = findParting(recorded, asked);
  const show = (value: JsonValue | undefined): string =>
    value === undefined ? 'absent' : typeof value === 'string' ? excerpt(value, at) : shorten(JSON.stringify(value));
  return `${where} is ${show(asked)}, and ${show(recorded)} in the recording`;
}

function compare(pair: Difference, into: Difference[], depth: number): void {
  const { where, recorded, asked } = pair;
  if (into.length >= mostDifferences || recorded === asked) return;
  if (depth < mostDepth && Array.isArray(recorded) && Array.isArray(asked)) {
    const length = Math.max(recorded.length, asked.length);
    for (let i = 0; i < length && into.length < mostDifferences; i++) {
      const parts = { recorded: recorded[i] as JsonValue | undefined, asked: asked[i] as JsonValue | undefined };
      compare({ where: `${where}[${i}]`, ...parts }, into, depth + 1);
    }
    return;
  }
  if (depth < mostDepth && isObject(recorded) && isObject(asked)) {
    for (const name of new Set([...Object.keys(recorded), ...Object.keys(asked)])) {
      compare({ where: `${where}.${name}`, recorded: recorded[name], asked: asked[name] }, into, depth + 1);
    }
    return;
  }
  if (JSON.stringify(recorded) !== JSON.stringify(asked)) into.push(pair);
}

/** Long texts are shown from shortly before where they part. */
function findParting(recorded: JsonValue | undefined, asked: JsonValue | undefined): number {
  if (typeof recorded !== 'string' || typeof asked !== 'string') return 0;
  let at = 0;
  while (at < recorded.length && recorded[at] === asked[at]) at++;
  return Math.max(0, at - 15);
}

function excerpt(text: string, at: number): string {
  const cut = text.slice(at, at + shownLength);
  const [before, after] = [at > 0 ? '…' : '', at + shownLength < text.length ? '…' : ''];
  return JSON.stringify(`${before}${cut}${after}`);
}

function shorten(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

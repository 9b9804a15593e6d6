import { TrackerError } from '../core/errors.js';
import { checkNames, checkShapes, isText, type Shape, type Shapes } from '../core/option-checks.js';
import { makeDecision, readRouteAnswer } from '../core/route-answer.js';
import type { RouteChoice } from '../core/routing.js';

export type Options = Readonly<Record<string, unknown>>;

/** At least one. */
export type Candidates = readonly [RouteChoice, ...RouteChoice[]];

const isChoice = (value: unknown): boolean => value !== null && value !== undefined && readRouteAnswer(value).ok;

export const choice: Shape = { wanted: "a model's name, or { model, … }", isRight: isChoice };
export const seed: Shape = {
  wanted: 'a number or a text',
  isRight: (value) => (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'string',
};
export const count: Shape = {
  wanted: 'a whole number of 0 or more',
  isRight: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
export const amount: Shape = {
  wanted: 'a number over 0',
  isRight: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
};
export const share: Shape = {
  wanted: 'a number from 0 to 1',
  isRight: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};
export const path: Shape = { wanted: 'the path of a file', isRight: isText };
export const candidates: Shape = {
  wanted: 'a list of models, at least one',
  isRight: (value) => Array.isArray(value) && value.length > 0 && value.length <= 1000 && value.every(isChoice),
};

/** Checks the options of a router. Throws `OPTION_INVALID`. */
export function checkOptions(options: Options, name: string, shapes: Shapes, required: readonly string[]): void {
  checkNames(options, Object.keys(shapes), `the router ${name}`);
  for (const option of required) {
    if (options[option] !== undefined) continue;
    throw new TrackerError('OPTION_INVALID', `Could not make the router ${name}: it has no ${option}.`, {
      hint: `Give ${option}: ${shapes[option]?.wanted ?? 'a value'}.`,
    });
  }
  checkShapes(options, shapes);
}

/** `undefined` where none is given; 42 and '42' are one. */
export function readSeed({ seed }: Options): string | undefined {
  return typeof seed === 'number' ? String(seed) : (seed as string | undefined);
}

/** What tells one candidate from another. */
export function nameCandidate(candidate: RouteChoice): string {
  const { model, provider } = makeDecision(candidate);
  return provider === undefined ? model : `${provider} ${model}`;
}

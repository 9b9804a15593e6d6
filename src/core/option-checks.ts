import { TrackerError } from './errors.js';

/** What one option has to be; what it says is checked by who uses it. */
export interface Shape {
  /** Fills "it has to be …". */
  readonly wanted: string;
  readonly isRight: (value: unknown) => boolean;
}

/** Options by name. */
export type Shapes = Readonly<Record<string, Shape>>;

export const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
export const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isListOf = (isRight: (part: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isRight);

/** @param what whose options these are, for the message: `new LLMTracker`. Throws `OPTION_INVALID`. */
export function requireObject(options: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(options)) return options as Readonly<Record<string, unknown>>;
  throw new TrackerError(
    'OPTION_INVALID',
    `Could not read the options of ${what}: ${describe(options)} is no object.`,
    {
      hint: 'Give an object of named options, as in { name: value }.',
    },
  );
}

/** Refuses what there is not: a slip of the pen would else be an option that does nothing. Throws `OPTION_INVALID`. */
export function checkNames(given: Readonly<Record<string, unknown>>, known: readonly string[], what: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TrackerError('OPTION_INVALID', `Could not read the options of ${what}: there is no option "${unknown}".`, {
    hint: `There ${known.length === 1 ? 'is' : 'are'}: ${known.join(', ')}.`,
  });
}

/** Checks the options that are given. Throws `OPTION_INVALID`. */
export function checkShapes(given: Readonly<Record<string, unknown>>, shapes: Shapes): void {
  for (const [name, { wanted, isRight }] of Object.entries(shapes)) {
    if (given[name] !== undefined && !isRight(given[name])) throw makeInvalid(name, given[name], wanted);
  }
}

export function makeInvalid(name: string, value: unknown, wanted: string): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not use ${name} ${describe(value)}: it has to be ${wanted}.`, {
    hint: `Give ${wanted}, or leave it out.`,
  });
}

/** A value in a message: short, and never the inside of an object, which may hold keys. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'a list';
  if (value === null || ['number', 'boolean', 'undefined'].includes(typeof value)) return String(value);
  return `a value of type ${typeof value}`;
}

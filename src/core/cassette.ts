import {
  checkNames,
  checkShapes,
  isListOf,
  isObject,
  isText,
  makeInvalid,
  requireObject,
  type Shapes,
} from './option-checks.js';

/**
 * What a session does with a recording of a run's calls, a cassette.
 *
 * - `record`: asks the providers, and keeps every reply as it came
 * - `replay`: answers from the recording alone; nothing goes out
 * - `replay-or-live`: answers from the recording what it has, and asks the providers for the rest
 */
export type CassetteMode = 'record' | 'replay' | 'replay-or-live';

export const cassetteModes: readonly CassetteMode[] = ['record', 'replay', 'replay-or-live'];

/** Parts of a request that differ from run to run, by name: what they stand for is in `replay/normalise.ts`. */
export type VolatileKind = 'dates' | 'uuids' | 'temp-paths';

export const volatileKinds: readonly VolatileKind[] = ['dates', 'uuids', 'temp-paths'];

/** One text to be taken for another before requests are compared. */
export interface NormaliseRule {
  /** A regular expression as `RegExp` takes it; every place it matches is replaced. */
  readonly pattern: string;
  /** `i`, `m`, `s`, `u`; none when absent. */
  readonly flags?: string;
  /** As `String.prototype.replace` takes it. */
  readonly replace: string;
}

/** What of requests is set aside before they are compared. */
export interface NormaliseRules {
  readonly volatile?: readonly VolatileKind[];
  readonly rules?: readonly NormaliseRule[];
}

/** A session's cassette. */
export interface CassetteUse {
  readonly mode: CassetteMode;
  /** Absolute. */
  readonly path: string;
  /** What is set aside; what the recording says when absent. */
  readonly normalise?: NormaliseRules;
  /** By which clock streams are played: 1 as recorded, 2 twice as fast; at once when absent. */
  readonly replaySpeed?: number;
}

const useShapes: Shapes = {
  mode: {
    wanted: `one of ${cassetteModes.join(', ')}`,
    isRight: (value) => cassetteModes.includes(value as CassetteMode),
  },
  path: { wanted: 'the path of a file', isRight: isText },
  normalise: { wanted: 'an object of volatile and rules', isRight: isObject },
  replaySpeed: { wanted: 'a number over 0, or Infinity', isRight: (value) => typeof value === 'number' && value > 0 },
};

const rulesShapes: Shapes = {
  volatile: {
    wanted: `a list of ${volatileKinds.join(', ')}`,
    isRight: isListOf((kind) => volatileKinds.includes(kind as VolatileKind)),
  },
  rules: { wanted: 'a list of { pattern, replace }', isRight: isListOf(isObject) },
};

const ruleShapes: Shapes = {
  pattern: { wanted: 'a regular expression as text', isRight: isText },
  flags: {
    wanted: 'flags among i, m, s and u',
    isRight: (value) => typeof value === 'string' && /^[imsu]*$/.test(value),
  },
  replace: { wanted: 'a text', isRight: (value) => typeof value === 'string' },
};

/** Throws `OPTION_INVALID`. */
export function requireCassetteUse(use: unknown): CassetteUse {
  const given = requireObject(use, 'the cassette');
  checkNames(given, Object.keys(useShapes), 'the cassette');
  checkShapes({ mode: null, path: null, ...given }, useShapes);
  if (given.normalise !== undefined) requireNormaliseRules(given.normalise);
  return given as unknown as CassetteUse;
}

/** Throws `OPTION_INVALID`, for an expression that does not compile as well. */
export function requireNormaliseRules(rules: unknown): NormaliseRules {
  const given = requireObject(rules, 'what is set aside of requests');
  checkNames(given, Object.keys(rulesShapes), 'what is set aside of requests');
  checkShapes(given, rulesShapes);
  for (const rule of (given.rules ?? []) as readonly unknown[]) {
    const one = requireObject(rule, 'a rule');
    checkNames(one, Object.keys(ruleShapes), 'a rule');
    checkShapes({ pattern: null, replace: null, ...one }, ruleShapes);
    try {
      new RegExp(String(one.pattern), `g${typeof one.flags === 'string' ? one.flags : ''}`);
    } catch {
      throw makeInvalid('pattern', one.pattern, 'a regular expression that compiles');
    }
  }
  return given as unknown as NormaliseRules;
}

import type { Clock } from '../core/clock.js';
import type { FlagSource } from '../core/flags.js';
import {
  checkNames,
  checkShapes,
  isObject,
  makeInvalid,
  requireObject,
  type Shape,
  type Shapes,
} from '../core/option-checks.js';
import type { EventSink, RunLogger } from '../core/run-events.js';
import type { RunScope } from '../core/run-scope.js';
import type { ConfigTrackerStyle, GraphTrackerStyle } from '../trackers/tracker-options.js';
import type { MakeRunner } from './runner.js';

export interface ConfigClientOptions extends ConfigTrackerStyle, GraphTrackerStyle {
  /** Where configs and graphs come from: a client of LaunchDarkly's, or what `openFlagFile` gives. */
  readonly flags: FlagSource;
  /** Where events go; when absent, to `flags` if it takes them, as a client of LaunchDarkly's does, or nowhere. */
  readonly sink?: EventSink | undefined;
  /** Nothing is logged without one. */
  readonly logger?: RunLogger | null | undefined;
  /** Makes what runs a config, for `createModel`, `createAgent` and judges, which there are none of without it. */
  readonly makeRunner?: MakeRunner | null | undefined;
  /** Where managed runs and judges take their turns; a tracker's scopes by `(ids, work) => tracker.track(ids, work)`. */
  readonly runScope?: RunScope | null | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1: which runs are judged. */
  readonly random?: (() => number) | undefined;
  /** The id of a new run; a UUIDv4 when absent. */
  readonly newRunId?: (() => string) | undefined;
}

const has =
  (...methods: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
const isFunction = (value: unknown): boolean => typeof value === 'function';
const orNull = ({ wanted, isRight }: Shape): Shape => ({
  wanted: `${wanted}, or null`,
  isRight: (value) => value === null || isRight(value),
});
const flag: Shape = { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' };

const shapes: Shapes & Readonly<Record<keyof ConfigClientOptions, Shape>> = {
  flags: { wanted: 'an object with a method variation', isRight: has('variation') },
  sink: { wanted: 'an object with a method track', isRight: has('track') },
  logger: orNull({
    wanted: 'an object with debug, info, warn, error',
    isRight: has('debug', 'info', 'warn', 'error'),
  }),
  makeRunner: orNull({ wanted: 'a function', isRight: isFunction }),
  runScope: orNull({ wanted: 'a function', isRight: isFunction }),
  clock: { wanted: 'a clock', isRight: has('monotonicMs') },
  random: { wanted: 'a function', isRight: isFunction },
  newRunId: { wanted: 'a function', isRight: isFunction },
  ...{ omitEmptyVariationKey: flag, omitUnknownModelVersion: flag, emitZeroTokens: flag },
};

/** Throws `OPTION_INVALID`. */
export function checkConfigClientOptions(options: ConfigClientOptions): void {
  const given = requireObject(options, 'new ConfigClient');
  checkNames(given, Object.keys(shapes), 'new ConfigClient');
  checkShapes(given, shapes);
  if (given.flags === undefined) throw makeInvalid('flags', undefined, shapes.flags.wanted);
}

/** Checks what a config or a graph is asked for by. Throws `OPTION_INVALID`. */
export function checkRequest(request: {
  readonly key: unknown;
  readonly context: unknown;
  readonly fallback?: unknown;
  readonly variables?: unknown;
}): void {
  const { key, context, fallback, variables } = request;
  if (typeof key !== 'string' || key.trim() === '')
    throw makeInvalid('the key of a config', key, 'a text that is not blank');
  if (!isObject(context)) throw makeInvalid('the context of a config', context, 'an object');
  if (!isObject(fallback ?? {})) throw makeInvalid('the default of a config', fallback, 'an object');
  if (!isObject(variables ?? {})) throw makeInvalid('the variables of a config', variables, 'an object');
}

/** The sink of a client: its own, or its flags, or one that takes everything and does nothing. */
export function findSink({ sink, flags }: ConfigClientOptions): EventSink {
  if (sink !== undefined) return sink;
  return has('track')(flags) ? (flags as FlagSource & EventSink) : { track: () => undefined };
}

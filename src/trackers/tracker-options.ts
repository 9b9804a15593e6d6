import type { Clock } from '../core/clock.js';
import { TrackerError } from '../core/errors.js';
import type { Dedupe } from '../core/host.js';
import {
  checkNames,
  checkShapes,
  isObject,
  isText,
  makeInvalid,
  requireObject,
  type Shape,
  type Shapes,
} from '../core/option-checks.js';
import type { EventSink, RunLogger } from '../core/run-events.js';

/** How a tracker's events are sent. */
export interface TrackerSinks {
  readonly sink: EventSink;
  /** Who or what the run was for, as the flags know it; sent with every event as it was when the tracker was made. */
  readonly context: object;
  /** Nothing is logged without one. */
  readonly logger?: RunLogger | null | undefined;
  readonly clock?: Clock | undefined;
  /**
   * Over what each fact is sent at most once: this tracker (`tracker`, when absent), or its run, in whatever process (`run`),
   * which takes the tap's own sink: the ledger holds it.
   */
  readonly dedupe?: Dedupe | undefined;
}

/** How a config tracker's payload looks where SDKs differ. */
export interface ConfigTrackerStyle {
  /** False sends an empty `variationKey` where there is none, as the JavaScript SDK does. True when absent. */
  readonly omitEmptyVariationKey?: boolean | undefined;
  /** True leaves out a `modelVersion` nobody gave, as Python's SDK does; else it is 1. False when absent. */
  readonly omitUnknownModelVersion?: boolean | undefined;
}

export interface ConfigTrackerOptions extends TrackerSinks, ConfigTrackerStyle {
  readonly configKey: string;
  /** A new UUIDv4 when absent. */
  readonly runId?: string | undefined;
  readonly variationKey?: string | null | undefined;
  /** 1 when absent or null; any number stays what it is. */
  readonly version?: number | null | undefined;
  readonly modelName?: string | null | undefined;
  readonly providerName?: string | null | undefined;
  readonly modelKey?: string | null | undefined;
  readonly modelVersion?: number | null | undefined;
  /** The graph whose node runs. */
  readonly graphKey?: string | null | undefined;
}

/** How a graph tracker behaves where SDKs differ. */
export interface GraphTrackerStyle {
  /** True sends a token total of 0, as the SDKs of JavaScript and Java do. False when absent. */
  readonly emitZeroTokens?: boolean | undefined;
}

export interface GraphTrackerOptions extends TrackerSinks, GraphTrackerStyle {
  readonly graphKey: string;
  /** A new UUIDv4 when absent. */
  readonly runId?: string | undefined;
  readonly variationKey?: string | null | undefined;
  /** 1 when absent or null; any number stays what it is. */
  readonly version?: number | null | undefined;
}

const hasMethods =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const orNull = ({ wanted, isRight }: Shape): Shape => ({
  wanted: `${wanted}, or null`,
  isRight: (value) => value === null || isRight(value),
});
const text: Shape = { wanted: 'a text that is not empty', isRight: isText };
const anyText: Shape = orNull({ wanted: 'a text', isRight: (value) => typeof value === 'string' });
const number: Shape = orNull({ wanted: 'a finite number', isRight: Number.isFinite });
const flag: Shape = { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' };

const sinks: Shapes = {
  sink: { wanted: 'an object with a method track', isRight: hasMethods('track') },
  context: { wanted: 'an object', isRight: isObject },
  logger: orNull({
    wanted: 'an object with debug, info, warn, error',
    isRight: hasMethods('debug', 'info', 'warn', 'error'),
  }),
  clock: { wanted: 'a clock', isRight: hasMethods('monotonicMs') },
  dedupe: { wanted: 'tracker or run', isRight: (value) => value === 'tracker' || value === 'run' },
  runId: text,
  variationKey: anyText,
  version: number,
};

const configShapes: Shapes = {
  ...sinks,
  configKey: text,
  ...{ modelName: anyText, providerName: anyText, modelKey: anyText, modelVersion: number, graphKey: anyText },
  ...{ omitEmptyVariationKey: flag, omitUnknownModelVersion: flag },
};

const graphShapes: Shapes = { ...sinks, graphKey: text, emitZeroTokens: flag };

/** Throws `OPTION_INVALID`. */
export function checkGraphTrackerOptions(options: GraphTrackerOptions): void {
  checkTracker(options, 'new GraphTracker', graphShapes, ['sink', 'context', 'graphKey']);
}

/** Throws `OPTION_INVALID`. */
export function checkConfigTrackerOptions(options: ConfigTrackerOptions): void {
  checkTracker(options, 'new ConfigTracker', configShapes, ['sink', 'context', 'configKey']);
}

function checkTracker(options: unknown, what: string, shapes: Shapes, required: readonly string[]): void {
  const given = requireObject(options, what);
  checkNames(given, Object.keys(shapes), what);
  checkShapes(given, shapes);
  const missing = required.find((name) => given[name] === undefined);
  requireOnceSink(given);
  if (missing !== undefined) throw makeInvalid(missing, undefined, shapes[missing]?.wanted ?? 'given');
}

/** Once in all a run only a sink can hold that other processes share. */
function requireOnceSink({ dedupe, sink }: Readonly<Record<string, unknown>>): void {
  if (dedupe !== 'run' || hasMethods('trackOnce')(sink)) return;
  throw new TrackerError('OPTION_INVALID', "Could not use dedupe 'run': this sink holds nothing over processes.", {
    hint: 'Give the sink of an LLMTracker or of a host, or leave dedupe out.',
  });
}

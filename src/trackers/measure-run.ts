import type { Clock } from '../core/clock.js';
import { readErrorMessage } from '../core/errors.js';
import { type ReadMetrics, type RunMetrics, readMetrics, type TokenCounts } from './run-metrics.js';
import { watchLeaving } from './watch-leaving.js';

/** Whose run is measured, and with what. */
export interface Measuring {
  readonly tracker: {
    trackDuration(durationMs: number): void;
    trackSuccess(): void;
    trackError(): void;
    trackTokens(tokens: TokenCounts): void;
    trackToolCalls(toolKeys: readonly string[]): void;
  };
  readonly clock: Clock;
  /** Says what went on in the background. */
  readonly note: (message: string) => void;
}

/** Times an operation and tells its duration, however it ends. Gives what it gives, throws what it throws. */
export async function measureDuration<T>({ tracker, clock }: Measuring, operation: () => T): Promise<Awaited<T>> {
  const begin = clock.monotonicMs();
  try {
    return await operation();
  } finally {
    tracker.trackDuration(clock.monotonicMs() - begin);
  }
}

/** See `ConfigTracker.trackMetricsOf`. */
export async function measureRun<T>(
  measuring: Measuring,
  { extract, operation }: { extract: (result: Awaited<T>) => unknown; operation: () => T },
): Promise<Awaited<T>> {
  const { tracker, clock } = measuring;
  const begin = clock.monotonicMs();
  let result: Awaited<T>;
  try {
    result = await operation();
  } catch (error) {
    tracker.trackDuration(clock.monotonicMs() - begin);
    tracker.trackError();
    throw error;
  }
  // Before the extractor, whose time is not the operation's.
  const measuredMs = clock.monotonicMs() - begin;
  let metrics: ReadMetrics | null;
  try {
    metrics = readMetrics(await extract(result));
  } catch (error) {
    // Neither a success nor an error: the operation worked, and nothing is known of what it gave.
    tracker.trackDuration(measuredMs);
    throw error;
  }
  tracker.trackDuration(metrics?.durationMs ?? measuredMs);
  tellMetrics(measuring, metrics);
  return result;
}

/** See `ConfigTracker.trackStreamMetricsOf`. */
export function measureStream<S>(
  measuring: Measuring,
  given: { create: () => S; extract: (stream: S) => PromiseLike<RunMetrics>; signal: AbortSignal | undefined },
): S {
  const { tracker, clock } = measuring;
  const begin = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - begin;
  let stream: S;
  try {
    stream = given.create();
  } catch (error) {
    tracker.trackDuration(elapsedMs());
    tracker.trackError();
    throw error;
  }
  const extracting = (async (): Promise<unknown> => await given.extract(stream))();
  // After the extractor had its first turn: an iterator it opened at once is its own, and may be left.
  const { left, release } = watchLeaving(stream, given.signal);
  void Promise.race([extracting, left.then(() => Left)])
    .then(
      (found) => tellStream(measuring, elapsedMs(), found),
      (error: unknown) => {
        measuring.note(`The extractor of a stream failed: ${readErrorMessage(error)}`);
        tracker.trackError();
        tracker.trackDuration(elapsedMs());
      },
    )
    .finally(release);
  return stream;
}

/** Found in place of metrics when the reader left. */
const Left = Symbol('left');

function tellStream(measuring: Measuring, elapsedMs: number, found: unknown): void {
  const { tracker, note } = measuring;
  if (found === Left) {
    note('A stream was left before its end');
    tracker.trackError();
    tracker.trackDuration(elapsedMs);
    return;
  }
  const metrics = readMetrics(found);
  tellMetrics(measuring, metrics);
  tracker.trackDuration(metrics?.durationMs ?? elapsedMs);
}

function tellMetrics({ tracker, note }: Measuring, metrics: ReadMetrics | null): void {
  if (metrics === null || metrics.success === null) note('The extractor did not say whether the run succeeded');
  if (metrics === null) return;
  if (metrics.success === true) tracker.trackSuccess();
  if (metrics.success === false) tracker.trackError();
  if (metrics.tokens !== null) tracker.trackTokens(metrics.tokens);
  if (metrics.toolCalls !== null) tracker.trackToolCalls(metrics.toolCalls);
}

import { randomUUID } from 'node:crypto';
import { systemClock } from '../core/clock.js';
import { copyPlainData } from '../core/plain-copy.js';
import { CONFIG_EVENTS } from '../core/run-events.js';
import type { ConfigRunSummary, ConfigTrackData, Feedback, JudgeResult } from './config-run.js';
import { EventOutlet } from './event-outlet.js';
import { type Measuring, measureDuration, measureRun, measureStream } from './measure-run.js';
import { makeConfigToken, readConfigToken } from './resumption-token.js';
import { type RunMetrics, readKey, readMs, readTokens, type TokenCounts } from './run-metrics.js';
import {
  type ConfigTrackerOptions,
  type ConfigTrackerStyle,
  checkConfigTrackerOptions,
  type TrackerSinks,
} from './tracker-options.js';

type Slot = 'duration' | 'time to first token' | 'token usage' | 'success or error' | 'feedback';

/** So many tool calls stay in a summary; further ones are events all the same. */
const maxSummaryToolCalls = 10_000;

/**
 * Records one run of a config: one turn of a user's, with however many calls it takes. Duration, time to first token,
 * tokens, outcome and feedback are recorded once each: the first caller wins, any other is a warning in the log. Tool calls
 * and judge results are recorded as often as they come. Methods never throw; what they cannot use is a line of the log at
 * `debug`, and takes nothing.
 *
 * @example
 * const tracker = new ConfigTracker({ sink, context: { kind: 'user', key: 'u1' }, configKey: 'support-bot' });
 * tracker.trackTokens({ total: 12, input: 10, output: 2 });
 * tracker.trackSuccess();
 * tracker.getSummary(); // { success: true, tokens: { total: 12, input: 10, output: 2 }, resumptionToken: 'eyJ…' }
 */
export class ConfigTracker {
  /** By which another process can go on with this run: see `fromResumptionToken`. */
  readonly resumptionToken: string;
  readonly #data: ConfigTrackData;
  readonly #outlet: EventOutlet<Slot>;
  readonly #measuring: Measuring;
  readonly #summary: { -readonly [Name in keyof Omit<ConfigRunSummary, 'toolCalls'>]: ConfigRunSummary[Name] };
  readonly #toolCalls: string[] = [];

  /** Throws `OPTION_INVALID`. Sends nothing. */
  constructor(options: ConfigTrackerOptions) {
    checkConfigTrackerOptions(options);
    const { sink, configKey, logger = null, clock = systemClock, runId = randomUUID() } = options;
    const { variationKey, version, graphKey } = readMeta(options);
    this.#data = makeTrackData(options, runId);
    this.resumptionToken = makeConfigToken({ runId, configKey, variationKey, version, graphKey });
    this.#summary = { resumptionToken: this.resumptionToken };
    this.#outlet = new EventOutlet({
      sink,
      dedupe: options.dedupe,
      context: copyPlainData(options.context, true),
      logger,
      run: `run ${runId} of config "${configKey}"`,
      remedy: 'A tracker records one run: take a new one from createTracker() for the next.',
    });
    this.#measuring = { tracker: this, clock, note: (message) => this.#outlet.note(message) };
  }

  /**
   * A tracker that goes on with the run a token names, in the context given here. Model and provider are empty, for a token
   * does not hold them. What the run recorded before is not known: each slot is free again. Throws `TOKEN_INVALID` and
   * `OPTION_INVALID`. Sends nothing.
   */
  static fromResumptionToken(token: string, options: TrackerSinks & ConfigTrackerStyle): ConfigTracker {
    return new ConfigTracker({ ...options, ...readConfigToken(token) });
  }

  /** Milliseconds the run took. Once; below 0 is 0. */
  trackDuration(durationMs: number): void {
    const ms = readMs(durationMs);
    if (ms === null) return this.#outlet.skip('trackDuration', 'the duration is no finite number');
    if (!this.#outlet.claim('duration', 'trackDuration')) return;
    this.#summary.durationMs = ms;
    this.#emit(CONFIG_EVENTS.duration, ms);
  }

  /** Runs an operation and records how long it took, however it ends; says nothing of its outcome. */
  async trackDurationOf<T>(operation: () => T): Promise<Awaited<T>> {
    return await measureDuration(this.#measuring, operation);
  }

  /** Milliseconds until the first piece of output came. Once; below 0 is 0. Never inferred from a stream. */
  trackTimeToFirstToken(timeToFirstTokenMs: number): void {
    const ms = readMs(timeToFirstTokenMs);
    if (ms === null) return this.#outlet.skip('trackTimeToFirstToken', 'the time is no finite number');
    if (!this.#outlet.claim('time to first token', 'trackTimeToFirstToken')) return;
    this.#summary.timeToFirstTokenMs = ms;
    this.#emit(CONFIG_EVENTS.timeToFirstToken, ms);
  }

  /** Tokens of the run. Once; an event for each count above 0, none and nothing taken when all are 0. */
  trackTokens(tokens: TokenCounts): void {
    const counts = readTokens(tokens);
    if (counts === null) return this.#outlet.skip('trackTokens', 'there are no tokens');
    const { total, input, output } = counts;
    if (total === 0 && input === 0 && output === 0) return this.#outlet.skip('trackTokens', 'all counts are 0');
    if (!this.#outlet.claim('token usage', 'trackTokens')) return;
    this.#summary.tokens = counts;
    if (total > 0) this.#emit(CONFIG_EVENTS.totalTokens, total);
    if (input > 0) this.#emit(CONFIG_EVENTS.inputTokens, input);
    if (output > 0) this.#emit(CONFIG_EVENTS.outputTokens, output);
  }

  /** The run succeeded. Once, and not after `trackError`. */
  trackSuccess(): void {
    if (!this.#outlet.claim('success or error', 'trackSuccess')) return;
    this.#summary.success = true;
    this.#emit(CONFIG_EVENTS.success, 1);
  }

  /** The run failed. Once, and not after `trackSuccess`. */
  trackError(): void {
    if (!this.#outlet.claim('success or error', 'trackError')) return;
    this.#summary.success = false;
    this.#emit(CONFIG_EVENTS.error, 1);
  }

  /** What the user said of it. Once. */
  trackFeedback(feedback: Feedback): void {
    const kind: unknown = (feedback as Partial<Feedback> | null | undefined)?.kind;
    if (kind !== 'positive' && kind !== 'negative') {
      return this.#outlet.skip('trackFeedback', 'its kind is neither positive nor negative');
    }
    if (!this.#outlet.claim('feedback', 'trackFeedback')) return;
    this.#summary.feedback = Object.freeze({ kind });
    this.#emit(kind === 'positive' ? CONFIG_EVENTS.positiveFeedback : CONFIG_EVENTS.negativeFeedback, 1);
  }

  /** A tool was called. As often as it was. */
  trackToolCall(toolKey: string): void {
    const key = readKey(toolKey);
    if (key === null) return this.#outlet.skip('trackToolCall', 'the tool has no key');
    if (this.#toolCalls.length < maxSummaryToolCalls) this.#toolCalls.push(key);
    this.#emit(CONFIG_EVENTS.toolCall, 1, { toolKey: key });
  }

  /** Tools were called, in this order. */
  trackToolCalls(toolKeys: readonly string[]): void {
    if (!Array.isArray(toolKeys)) return this.#outlet.skip('trackToolCalls', 'there is no list of tools');
    for (const key of [...toolKeys]) this.trackToolCall(key as string);
  }

  /**
   * What a judge said of this run, under the judge's own metric key. Sent when it was sampled, succeeded, and has a metric
   * key and a score from 0 to 1. Its reasoning is never sent.
   */
  trackJudgeResult(result: JudgeResult): void {
    const given = (result ?? {}) as Partial<JudgeResult>;
    const metricKey = readKey(given.metricKey);
    const score = typeof given.score === 'number' && given.score >= 0 && given.score <= 1 ? given.score : null;
    if (given.sampled !== true || given.success !== true || metricKey === null || score === null) {
      return this.#outlet.skip('trackJudgeResult', 'it has no score that counts');
    }
    const judgeConfigKey = readKey(given.judgeConfigKey);
    this.#emit(metricKey, score, judgeConfigKey === null ? {} : { judgeConfigKey });
  }

  /**
   * Runs an operation once and records what it came to, in this order: duration, success or error, tokens, tool calls. The
   * duration is the one the metrics report, else that of the operation alone. When the operation throws, so does this,
   * after duration and error; when the extractor throws, so does this, after the duration.
   */
  async trackMetricsOf<T>(
    extract: (result: Awaited<T>) => RunMetrics | PromiseLike<RunMetrics>,
    operation: () => T,
  ): Promise<Awaited<T>> {
    return await measureRun(this.#measuring, { extract, operation });
  }

  /**
   * Opens a stream, gives it back at once, and records in the background what the extractor finds: success or error,
   * tokens, tool calls, and the duration last. An extractor that fails is an error of the run, and a line of the log. So
   * is a stream whose reader leaves its `for await`, or `signal`, before the extractor is done. When the stream cannot be
   * opened this throws, after duration and error.
   */
  trackStreamMetricsOf<S>(
    create: () => S,
    extract: (stream: S) => PromiseLike<RunMetrics>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): S {
    return measureStream(this.#measuring, { create, extract, signal });
  }

  /** What every event of this run carries; a copy. */
  getTrackData(): ConfigTrackData {
    return { ...this.#data };
  }

  /** What was recorded so far; a copy. What was not is absent. */
  getSummary(): ConfigRunSummary {
    const toolCalls = this.#toolCalls.length === 0 ? {} : { toolCalls: this.#toolCalls };
    return copyPlainData({ ...this.#summary, ...toolCalls });
  }

  #emit(eventName: string, metricValue: number, more?: object): void {
    this.#outlet.emit(eventName, more === undefined ? { ...this.#data } : { ...this.#data, ...more }, metricValue);
  }
}

function readMeta({ variationKey, version, graphKey }: ConfigTrackerOptions) {
  return {
    variationKey: variationKey ?? '',
    version: version ?? 1,
    // An empty one would be in the events and not in the token.
    graphKey: graphKey === '' ? null : (graphKey ?? null),
  };
}

function makeTrackData(options: ConfigTrackerOptions, runId: string): ConfigTrackData {
  const { configKey, modelName, providerName, modelKey, modelVersion } = options;
  const { variationKey, version, graphKey } = readMeta(options);
  const omitsVariation = variationKey === '' && options.omitEmptyVariationKey !== false;
  const omitsVersion = (modelVersion ?? null) === null && options.omitUnknownModelVersion === true;
  return Object.freeze({
    runId,
    configKey,
    ...(omitsVariation ? {} : { variationKey }),
    version,
    modelName: modelName ?? '',
    providerName: providerName ?? '',
    ...(omitsVersion ? {} : { modelVersion: modelVersion ?? 1 }),
    ...((modelKey ?? '') === '' ? {} : { modelKey: modelKey ?? '' }),
    ...(graphKey === null ? {} : { graphKey }),
  });
}

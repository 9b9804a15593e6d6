import { randomUUID } from 'node:crypto';
import { copyPlainData } from '../core/plain-copy.js';
import { GRAPH_EVENTS } from '../core/run-events.js';
import { EventOutlet } from './event-outlet.js';
import type { GraphRunSummary, GraphTrackData } from './graph-run.js';
import { makeGraphToken, readGraphToken } from './resumption-token.js';
import { readKey, readMs, readTokens, type TokenCounts } from './run-metrics.js';
import {
  checkGraphTrackerOptions,
  type GraphTrackerOptions,
  type GraphTrackerStyle,
  type TrackerSinks,
} from './tracker-options.js';

type Slot = 'success or failure' | 'duration' | 'token total' | 'path';

/**
 * Records one run of a graph of agents. Outcome, duration, tokens and path are recorded once each: the first caller wins, any
 * other is a warning in the log. Redirects and handoffs are recorded as often as they come. Methods never throw; what they
 * cannot use is a line of the log at `debug`, and takes nothing. The runs of its nodes are config trackers of their own.
 *
 * @example
 * const tracker = new GraphTracker({ sink, context: { kind: 'user', key: 'u1' }, graphKey: 'support' });
 * tracker.trackHandoffSuccess('triage', 'billing');
 * tracker.trackPath(['triage', 'billing']);
 * tracker.getSummary(); // { path: ['triage', 'billing'], resumptionToken: 'eyJ…' }
 */
export class GraphTracker {
  /** By which another process can go on with this run: see `fromResumptionToken`. */
  readonly resumptionToken: string;
  readonly #data: GraphTrackData;
  readonly #outlet: EventOutlet<Slot>;
  readonly #emitsZeroTokens: boolean;
  readonly #summary: { -readonly [Name in keyof GraphRunSummary]: GraphRunSummary[Name] };

  /** Throws `OPTION_INVALID`. Sends nothing. */
  constructor(options: GraphTrackerOptions) {
    checkGraphTrackerOptions(options);
    const { sink, graphKey, logger = null, runId = randomUUID() } = options;
    const variationKey = options.variationKey ?? '';
    const version = options.version ?? 1;
    this.#data = Object.freeze({ runId, graphKey, version, ...(variationKey === '' ? {} : { variationKey }) });
    this.resumptionToken = makeGraphToken({ runId, graphKey, variationKey, version });
    this.#summary = { resumptionToken: this.resumptionToken };
    this.#emitsZeroTokens = options.emitZeroTokens === true;
    this.#outlet = new EventOutlet({
      sink,
      dedupe: options.dedupe,
      context: copyPlainData(options.context, true),
      logger,
      run: `run ${runId} of graph "${graphKey}"`,
      remedy: 'A tracker records one run: take a new one from createTracker() of the graph for the next.',
    });
  }

  /**
   * A tracker that goes on with the run a token names, in the context given here. What the run recorded before is not known:
   * each slot is free again. Throws `TOKEN_INVALID` and `OPTION_INVALID`. Sends nothing.
   */
  static fromResumptionToken(token: string, options: TrackerSinks & GraphTrackerStyle): GraphTracker {
    return new GraphTracker({ ...options, ...readGraphToken(token) });
  }

  /** The graph came to its end. Once, and not after `trackInvocationFailure`. */
  trackInvocationSuccess(): void {
    if (!this.#outlet.claim('success or failure', 'trackInvocationSuccess')) return;
    this.#summary.success = true;
    this.#emit(GRAPH_EVENTS.success, 1);
  }

  /** The graph failed. Once, and not after `trackInvocationSuccess`. */
  trackInvocationFailure(): void {
    if (!this.#outlet.claim('success or failure', 'trackInvocationFailure')) return;
    this.#summary.success = false;
    this.#emit(GRAPH_EVENTS.failure, 1);
  }

  /** Milliseconds the whole run took. Once; below 0 is 0. */
  trackDuration(durationMs: number): void {
    const ms = readMs(durationMs);
    if (ms === null) return this.#outlet.skip('trackDuration', 'the duration is no finite number');
    if (!this.#outlet.claim('duration', 'trackDuration')) return;
    this.#summary.durationMs = ms;
    this.#emit(GRAPH_EVENTS.duration, ms);
  }

  /**
   * Tokens of all nodes together. Once; input and output together where there is no total, nothing sent and nothing taken
   * when that is 0 as well, unless `emitZeroTokens`.
   */
  trackTotalTokens(tokens: TokenCounts): void {
    const counts = readTokens(tokens);
    if (counts === null) return this.#outlet.skip('trackTotalTokens', 'there are no tokens');
    const total = counts.total > 0 ? counts.total : counts.input + counts.output;
    if (total === 0 && !this.#emitsZeroTokens) return this.#outlet.skip('trackTotalTokens', 'all counts are 0');
    if (!this.#outlet.claim('token total', 'trackTotalTokens')) return;
    this.#summary.tokens = { ...counts, total };
    this.#emit(GRAPH_EVENTS.totalTokens, total);
  }

  /** Keys of the nodes in the order they were entered, each as often as it was. Once. */
  trackPath(path: readonly string[]): void {
    if (!Array.isArray(path) || path.length === 0) return this.#outlet.skip('trackPath', 'there is no path');
    if (!path.every((key) => typeof key === 'string')) return this.#outlet.skip('trackPath', 'a key is not text');
    if (!this.#outlet.claim('path', 'trackPath')) return;
    this.#summary.path = [...path];
    this.#emit(GRAPH_EVENTS.path, 1, { path: [...path] });
  }

  /** A node sent the run elsewhere than its edge leads. As often as it was. */
  trackRedirect(sourceKey: string, redirectedTarget: string): void {
    if (!this.#hasBoth('trackRedirect', sourceKey, redirectedTarget)) return;
    this.#emit(GRAPH_EVENTS.redirect, 1, { sourceKey, redirectedTarget });
  }

  /** One node handed over to another. As often as it was. */
  trackHandoffSuccess(sourceKey: string, targetKey: string): void {
    if (!this.#hasBoth('trackHandoffSuccess', sourceKey, targetKey)) return;
    this.#emit(GRAPH_EVENTS.handoffSuccess, 1, { sourceKey, targetKey });
  }

  /** One node could not hand over to another. As often as it was. */
  trackHandoffFailure(sourceKey: string, targetKey: string): void {
    if (!this.#hasBoth('trackHandoffFailure', sourceKey, targetKey)) return;
    this.#emit(GRAPH_EVENTS.handoffFailure, 1, { sourceKey, targetKey });
  }

  /** What every event of this run carries; a copy. */
  getTrackData(): GraphTrackData {
    return { ...this.#data };
  }

  /** What was recorded so far; a copy. What was not is absent. */
  getSummary(): GraphRunSummary {
    return copyPlainData(this.#summary);
  }

  #hasBoth(method: string, source: unknown, target: unknown): boolean {
    if (readKey(source) !== null && readKey(target) !== null) return true;
    this.#outlet.skip(method, 'a node has no key');
    return false;
  }

  #emit(eventName: string, metricValue: number, more?: object): void {
    this.#outlet.emit(eventName, more === undefined ? { ...this.#data } : { ...this.#data, ...more }, metricValue);
  }
}

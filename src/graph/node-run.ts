import type { ConfigTracker } from '../trackers/config-tracker.js';
import { type RunMetrics, readMetrics, readTokens, type TokenCounts } from '../trackers/run-metrics.js';

/** What was put to a node, and what it gave: what its judges are asked about. */
export interface Exchange {
  readonly input: string;
  readonly output: string;
}

/**
 * One run's record of one node, or of one activation: a tracker, and what all activations it is for come to together, for a run
 * of a config records each of it once. What was said of the node by its tracker itself stands, and is not said again.
 */
export class NodeRecord {
  readonly tracker: ConfigTracker;
  #tokens: TokenCounts | null = null;
  #durationMs = 0;
  #underWay = 0;
  #timed = 0;
  #begun = 0;
  /** Which activation was the last to begin when one failed; `null` when none did, or one since succeeded. */
  #failedAt: number | null = null;
  #succeeded = false;
  #reported: RunMetrics | null = null;

  constructor(tracker: ConfigTracker) {
    this.tracker = tracker;
  }

  /** @param activation which of the node it is, from 1 */
  begin(activation: number): void {
    this.#underWay += 1;
    this.#begun = activation;
  }

  /**
   * An activation ended. One that failed is made good by one that began later and succeeded, not by one that was under way.
   *
   * @param success `null` when it is not known.
   */
  end(activation: number, { success, durationMs }: { success: boolean | null; durationMs: number }): void {
    this.#underWay -= 1;
    this.#timed += 1;
    this.#durationMs += durationMs;
    if (success === false) this.#failedAt = this.#begun;
    if (success !== true) return;
    this.#succeeded = true;
    if (this.#failedAt !== null && activation > this.#failedAt) this.#failedAt = null;
  }

  addTokens(given: unknown): void {
    const counts = readTokens(given);
    if (counts === null) return;
    const { total, input, output } = this.#tokens ?? { total: 0, input: 0, output: 0 };
    this.#tokens = { total: total + counts.total, input: input + counts.input, output: output + counts.output };
  }

  /** What a runner says the node came to, which beats what was measured. */
  report(metrics: RunMetrics): void {
    this.#reported = metrics;
  }

  /** The tokens of the node, `null` when none are known. */
  get tokens(): TokenCounts | null {
    return this.tracker.getSummary().tokens ?? readTokens(this.#reported?.tokens) ?? this.#tokens;
  }

  /**
   * Sends what is known: tokens, duration, tools, success or error. No outcome where none is known, and no duration of a node
   * that is still at work.
   */
  flush(): void {
    const { tracker, tokens } = this;
    const said = tracker.getSummary();
    const reported = readMetrics(this.#reported);
    if (tokens !== null && said.tokens === undefined) tracker.trackTokens(tokens);
    const durationMs = reported?.durationMs ?? (this.#timed > 0 && this.#underWay === 0 ? this.#durationMs : null);
    if (durationMs !== null && said.durationMs === undefined) tracker.trackDuration(durationMs);
    if (said.toolCalls === undefined) tracker.trackToolCalls(reported?.toolCalls ?? []);
    const success = reported?.success ?? this.#outcome();
    if (success === null || said.success !== undefined) return;
    if (success) tracker.trackSuccess();
    else tracker.trackError();
  }

  #outcome(): boolean | null {
    if (this.#failedAt !== null) return false;
    return this.#succeeded && this.#underWay === 0 ? true : null;
  }
}

export interface NodeRunParts<C> {
  readonly key: string;
  readonly config: C;
  readonly record: NodeRecord;
  readonly activation: number;
  readonly onExchange: (exchange: Exchange) => void;
}

/** One activation of a node: what its work says of itself. */
export class NodeRun<C> {
  readonly key: string;
  readonly config: C;
  /** How often the node was entered in this run, this time included. */
  readonly activation: number;
  /** The tracker of the node in this run: the same for all its activations, unless each is to have its own. */
  readonly tracker: ConfigTracker;
  readonly #record: NodeRecord;
  readonly #onExchange: (exchange: Exchange) => void;
  #hasFailed = false;
  #isCounted = false;

  /** @internal A run makes it. */
  constructor({ key, config, record, activation, onExchange }: NodeRunParts<C>) {
    this.key = key;
    this.config = config;
    this.activation = activation;
    this.tracker = record.tracker;
    this.#record = record;
    this.#onExchange = onExchange;
  }

  /** Tokens of one call; of as many as the node makes, which are added up. Those its scope saw are then not. */
  addTokens(tokens: TokenCounts): void {
    this.#isCounted = true;
    this.#record.addTokens(tokens);
  }

  /** Tools the node called, each an event at once. */
  addToolCalls(toolKeys: readonly string[]): void {
    this.tracker.trackToolCalls(toolKeys);
  }

  /** The node says that it failed, though it throws nothing. */
  fail(): void {
    this.#hasFailed = true;
  }

  /** What was put to the node and what it gave, for the judges of its config. */
  collect(input: string, output: string): void {
    this.#onExchange({ input, output });
  }

  /** Whether anybody said which tokens it took. */
  get isCounted(): boolean {
    return this.#isCounted || this.tracker.getSummary().tokens !== undefined;
  }

  /** Whether it said that it failed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }
}

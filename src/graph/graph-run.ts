import { type Clock, systemClock } from '../core/clock.js';
import { TrackerError } from '../core/errors.js';
import { makeInvalid } from '../core/option-checks.js';
import { makeQuietLogger } from '../core/quiet-logger.js';
import type { RunLogger } from '../core/run-events.js';
import { makeRunIds, noScope, type RunScope, type ScopeFacts } from '../core/run-scope.js';
import type { ConfigRunSummary } from '../trackers/config-run.js';
import type { ConfigTracker } from '../trackers/config-tracker.js';
import type { GraphTracker } from '../trackers/graph-tracker.js';
import type { RunMetrics, TokenCounts } from '../trackers/run-metrics.js';
import type { AgentGraph } from './agent-graph.js';
import { measureNode } from './measure-node.js';
import { type ActivationMetrics, NodeRecords, type NodeTrackers } from './node-records.js';
import { type Exchange, type NodeRecord, NodeRun } from './node-run.js';

/** What a node's config has to have. */
export interface RunnableConfig {
  readonly createTracker: () => ConfigTracker;
}

export interface GraphRunOptions {
  /** Where nodes work; a tracker's scopes by `(ids, work) => tracker.track(ids, work)`. Ids name graph and graph run. */
  readonly runScope?: RunScope | null | undefined;
  readonly logger?: RunLogger | null | undefined;
  readonly clock?: Clock | undefined;
  /**
   * What is one run of a node's config: all the node does in this run of the graph, its tokens and times added up (`node`, when
   * absent), or each of its activations (`activation`).
   */
  readonly trackers?: NodeTrackers | undefined;
}

export interface NodeOptions<T> {
  /** The node that hands over to this one. */
  readonly from?: string | undefined;
  /** What the work came to, by what it gave: success, tokens, tools, duration. Success, when there is none. */
  readonly metricsOf?: ((result: T) => RunMetrics) | undefined;
}

/** So many activations stay in a path; a graph that goes round for longer is recorded all the same. */
const longestPath = 10_000;
/** So many exchanges wait for their judges; later ones are not judged. */
const mostExchanges = 1_000;

/** What is to be judged, by whom it was given. */
export interface CollectedExchange<C> extends Exchange {
  readonly config: C;
  readonly tracker: ConfigTracker;
}

interface ActivationParts<C, T> {
  readonly key: string;
  readonly config: C;
  readonly record: NodeRecord;
  readonly work: (node: NodeRun<C>) => T;
  readonly metricsOf: NodeOptions<Awaited<T>>['metricsOf'];
}

/**
 * One run of a graph: one graph tracker, and one tracker for each node that works in it, however often and whether at the same
 * time, or for each of its activations. Who enters which node when is the caller's to say. All state is the run's own.
 */
export class GraphRun<C extends RunnableConfig> {
  readonly graph: AgentGraph<C>;
  /** The tracker of this run: one for all of it. */
  readonly tracker: GraphTracker;
  readonly #scope: RunScope;
  readonly #logger: RunLogger;
  readonly #clock: Clock;
  readonly #records: NodeRecords;
  readonly #path: string[] = [];
  readonly #exchanges: CollectedExchange<C>[] = [];
  #isOver = false;

  /** Throws `OPTION_INVALID`. */
  constructor(graph: AgentGraph<C>, options: GraphRunOptions = {}) {
    const { runScope, logger, clock = systemClock, trackers = 'node' } = options;
    if (!['node', 'activation'].includes(trackers)) throw makeInvalid('trackers', trackers, 'node or activation');
    this.#records = new NodeRecords(trackers);
    this.graph = graph;
    this.tracker = graph.createTracker();
    this.#scope = runScope ?? noScope;
    this.#logger = makeQuietLogger(logger);
    this.#clock = clock;
  }

  get runId(): string {
    return this.tracker.getTrackData().runId;
  }

  /** The nodes entered so far, each as often as it was; the first 10,000. */
  get path(): readonly string[] {
    return [...this.#path];
  }

  /**
   * Lets a node work: in a scope of its own, which names the graph's run. Gives what the work gives, throws what it throws.
   * With `from`, the crossing is recorded: a handoff where there is such an edge, a redirect where there is none, a failed
   * handoff where the node is none or its scope cannot be opened. Throws `OPTION_INVALID` for a node there is not, and when
   * the run is over.
   */
  async runNode<T>(
    key: string,
    work: (node: NodeRun<C>) => T,
    { from, metricsOf }: NodeOptions<Awaited<T>> = {},
  ): Promise<Awaited<T>> {
    const config = this.#requireConfig(key, from);
    const record = this.#records.open(key, () => config.createTracker());
    const data = record.tracker.getTrackData();
    const ids = makeRunIds({ ...data, graphKey: data.graphKey ?? this.#graphKey(), graphRunId: this.runId });
    let began = false;
    try {
      return await this.#scope({ ...ids, statedBy: 'caller' }, async (facts) => {
        began = true;
        if (from !== undefined) this.#cross(from, key);
        return await this.#activate({ key, config, record, work, metricsOf }, facts);
      });
    } catch (error) {
      if (!began && from !== undefined) this.tracker.trackHandoffFailure(from, key);
      throw error;
    }
  }

  /** What a runner says of a node, which beats what was measured. A node there is not is skipped, with a warning. */
  reportNode(key: string, metrics: RunMetrics): void {
    const config = this.graph.getNode(key)?.getConfig();
    if (config === undefined) {
      this.#logger.warn(
        `The graph "${this.#graphKey()}" has no node "${key}": what was reported of it is not recorded.`,
      );
      return;
    }
    if (this.#records.report(key, metrics, () => config.createTracker())) return;
    this.#logger.warn(
      `The node "${key}" worked more than once, each time as a run of its own: what was reported of it is not recorded.`,
    );
  }

  /** Tokens of all nodes together; `null` when none are known. */
  sumTokens(): TokenCounts | null {
    return this.#records.sumTokens();
  }

  /** What is to be judged. */
  get exchanges(): readonly CollectedExchange<C>[] {
    return this.#exchanges;
  }

  /** The trackers of the nodes that worked, by key: the newest of each. */
  get nodeTrackers(): ReadonlyMap<string, ConfigTracker> {
    return this.#records.trackers;
  }

  /** What was recorded of the nodes that worked so far, by key; of several activations, added up. */
  get nodeSummaries(): ReadonlyMap<string, ConfigRunSummary> {
    return this.#records.summarize();
  }

  /** What was recorded of each activation, where each is a run of its own; `null` where none is. The first 10,000. */
  get activations(): readonly ActivationMetrics[] | null {
    return this.#records.listActivations();
  }

  /** Ends the run: nodes send what they came to. One that still works does so once more when it ends. May be called twice. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#records.flush();
  }

  async #activate<T>(given: ActivationParts<C, T>, facts: ScopeFacts | undefined): Promise<Awaited<T>> {
    const { key, config, record, work, metricsOf } = given;
    if (this.#path.length < longestPath) this.#path.push(key);
    const activation = this.#records.enter(key, record);
    const onExchange = (exchange: Exchange): void => this.#collect(given, exchange);
    const node = new NodeRun({ key, config, record, activation, onExchange });
    try {
      return await measureNode({ node, record, work, metricsOf, facts, clock: this.#clock });
    } finally {
      this.#records.leave(key, record);
      // It outlived the run, which sent of it what was known then.
      if (this.#isOver) record.flush();
    }
  }

  #collect({ config, record }: { readonly config: C; readonly record: NodeRecord }, exchange: Exchange): void {
    if (this.#exchanges.length < mostExchanges) this.#exchanges.push({ ...exchange, config, tracker: record.tracker });
  }

  #cross(from: string, key: string): void {
    const leads =
      this.graph
        .getNode(from)
        ?.getEdges()
        .some((edge) => edge.key === key) === true;
    if (leads) this.tracker.trackHandoffSuccess(from, key);
    else this.tracker.trackRedirect(from, key);
  }

  #requireConfig(key: string, from: string | undefined): C {
    if (this.#isOver) throw this.#makeInvalid(key, 'the run is over', 'Wait for each node before the run ends.');
    const config = this.graph.getNode(key)?.getConfig();
    if (from !== undefined && this.graph.getNode(from) === null) {
      throw this.#makeInvalid(
        key,
        `there is no node "${from}" to hand over`,
        'Give the key of a node as `from`, or none.',
      );
    }
    if (config !== undefined) return config;
    if (from !== undefined) this.tracker.trackHandoffFailure(from, key);
    throw this.#makeInvalid(
      key,
      'there is no such node',
      'A graph that is disabled has none: look at `enabled` first.',
    );
  }

  #makeInvalid(key: string, found: string, hint: string): TrackerError {
    return new TrackerError(
      'OPTION_INVALID',
      `Could not run the node "${key}" of the graph "${this.#graphKey()}": ${found}.`,
      { hint },
    );
  }

  #graphKey(): string {
    return this.tracker.getTrackData().graphKey;
  }
}

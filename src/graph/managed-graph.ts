import { readErrorMessage } from '../core/errors.js';
import { makeQuietLogger } from '../core/quiet-logger.js';
import type { RunLogger } from '../core/run-events.js';
import type { JudgeResult } from '../trackers/config-run.js';
import type { AgentGraph } from './agent-graph.js';
import { type CollectedExchange, GraphRun, type GraphRunOptions, type RunnableConfig } from './graph-run.js';
import { type GraphMetrics, type GraphRunMetrics, summarize, superviseRun } from './run-graph.js';

/** A node's config that can be judged. */
export interface JudgedConfig extends RunnableConfig {
  readonly evaluator?: { evaluate(input: string, output: string): Promise<readonly JudgeResult[]> } | undefined;
}

export interface GraphRunnerResult {
  readonly content: string;
  readonly metrics: GraphMetrics;
  readonly raw?: unknown;
}

/** Runs a graph by whatever package: enters nodes by `run.runNode`, or says afterwards what they came to. */
export type GraphRunner<C extends RunnableConfig> = (
  run: GraphRun<C>,
) => GraphRunnerResult | PromiseLike<GraphRunnerResult>;

export interface ManagedGraphResult {
  readonly content: string;
  readonly raw?: unknown;
  /** As it was when the runner was done, before any judge spoke. */
  readonly metrics: GraphRunMetrics;
  /** What the judges of its nodes say of what was collected; never rejects. The scores are events of the nodes' runs. */
  readonly evaluations: Promise<readonly JudgeResult[]>;
}

/**
 * A graph of agents whose runs are recorded, and judged where its nodes' configs say by whom.
 *
 * @example
 * const managed = new ManagedAgentGraph(await client.agentGraph('support', context));
 * const { content, metrics } = await managed.run(async (run) => {
 *   const reply = await run.runNode('triage', (node) => ask(node.config, question));
 *   return { content: reply, metrics: { success: true } };
 * });
 */
export class ManagedAgentGraph<C extends JudgedConfig> {
  readonly #graph: AgentGraph<C>;
  readonly #options: GraphRunOptions;
  readonly #logger: RunLogger;

  constructor(graph: AgentGraph<C>, options: GraphRunOptions = {}) {
    this.#graph = graph;
    this.#options = Object.freeze({ ...options });
    this.#logger = makeQuietLogger(options.logger);
  }

  getGraph(): AgentGraph<C> {
    return this.#graph;
  }

  /** One run, with one tracker of its own. Throws what the runner throws, after what is known was sent; then nobody judges. */
  async run(runner: GraphRunner<C>): Promise<ManagedGraphResult> {
    const run = new GraphRun(this.#graph, this.#options);
    const options = { ...this.#options, metricsOf: (result: GraphRunnerResult) => result.metrics };
    const { content, raw } = await superviseRun(run, async (own) => await runner(own), options);
    const evaluations = this.#judge([...run.exchanges]);
    return { content, ...(raw === undefined ? {} : { raw }), metrics: summarize(run), evaluations };
  }

  async #judge(exchanges: readonly CollectedExchange<C>[]): Promise<readonly JudgeResult[]> {
    const results: JudgeResult[] = [];
    // One after the other: a graph that went round a hundred times is no reason for a hundred calls at once.
    for (const exchange of exchanges) results.push(...(await this.#judgeOne(exchange)));
    return results;
  }

  async #judgeOne({ config, tracker, input, output }: CollectedExchange<C>): Promise<readonly JudgeResult[]> {
    try {
      const results = (await config.evaluator?.evaluate(input, output)) ?? [];
      // By the tracker the node worked with: another would be another run.
      for (const result of results) if (result.sampled && result.success) tracker.trackJudgeResult(result);
      return results;
    } catch (error) {
      const { configKey } = tracker.getTrackData();
      this.#logger.warn(`A run of the config "${configKey}" was not judged: ${readErrorMessage(error)}`);
      return [];
    }
  }
}

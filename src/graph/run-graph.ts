import { systemClock } from '../core/clock.js';
import { setOwn } from '../core/plain-copy.js';
import type { ConfigRunSummary } from '../trackers/config-run.js';
import type { GraphRunSummary } from '../trackers/graph-run.js';
import { type RunMetrics, readMetrics } from '../trackers/run-metrics.js';
import type { AgentGraph } from './agent-graph.js';
import { GraphRun, type GraphRunOptions, type RunnableConfig } from './graph-run.js';
import type { ActivationMetrics } from './node-records.js';

/** What a runner says of a graph's run: what it does not say is measured. */
export interface GraphMetrics extends Omit<RunMetrics, 'toolCalls'> {
  /** Keys of the nodes in the order they were entered. */
  readonly path?: readonly string[] | undefined;
  /** By the nodes' keys. */
  readonly nodeMetrics?: Readonly<Record<string, RunMetrics>> | undefined;
}

/** What was recorded of a graph's run. */
export interface GraphRunMetrics extends GraphRunSummary {
  readonly path: readonly string[];
  /** By the keys of the nodes that worked; of activations that are runs of their own, added up. */
  readonly nodeMetrics: Readonly<Record<string, ConfigRunSummary>>;
  /** With `trackers: 'activation'`, of each activation in the order they were entered; the first 10,000. */
  readonly activations?: readonly ActivationMetrics[];
}

export interface RunGraphOptions<T> extends GraphRunOptions {
  /** What the run came to, by what the work gave. Success, when there is none. */
  readonly metricsOf?: ((result: T) => GraphMetrics) | undefined;
}

export interface GraphRunResult<T> {
  readonly result: T;
  readonly metrics: GraphRunMetrics;
}

/**
 * Runs a graph: the work enters its nodes, by `run.runNode`, in whatever order and however many at a time. When it has ended,
 * also by throwing, what is known is sent: of the graph duration, success or failure, path and tokens; then of each node. Throws
 * what the work throws.
 *
 * @example
 * const { result, metrics } = await runGraph(graph, async (run) => {
 *   const topic = await run.runNode('triage', (node) => ask(node.config, question));
 *   return await run.runNode('billing', (node) => ask(node.config, topic), { from: 'triage' });
 * });
 */
export async function runGraph<C extends RunnableConfig, T>(
  graph: AgentGraph<C>,
  work: (run: GraphRun<C>) => T,
  options: RunGraphOptions<Awaited<T>> = {},
): Promise<GraphRunResult<Awaited<T>>> {
  const run = new GraphRun(graph, options);
  const result = await superviseRun(run, work, options);
  return { result, metrics: summarize(run) };
}

/** Lets the work of a run go on to its end, and records it, whatever it is. */
export async function superviseRun<C extends RunnableConfig, T>(
  run: GraphRun<C>,
  work: (run: GraphRun<C>) => T,
  { metricsOf, clock = systemClock }: RunGraphOptions<Awaited<T>>,
): Promise<Awaited<T>> {
  const begin = clock.monotonicMs();
  let elapsedMs: number | null = null;
  let said: GraphMetrics | null = null;
  let success: boolean | null = false;
  try {
    const result = await work(run);
    elapsedMs = clock.monotonicMs() - begin;
    // What cannot be read of a run that worked is neither a success nor a failure of it.
    success = null;
    said = metricsOf?.(result) ?? null;
    success = metricsOf === undefined ? true : (readMetrics(said)?.success ?? null);
    return result;
  } finally {
    finishRun(run, { said, success, elapsedMs: elapsedMs ?? clock.monotonicMs() - begin });
  }
}

interface RunEnd {
  /** What the runner said. */
  readonly said: GraphMetrics | null;
  /** `null` when it is not known. */
  readonly success: boolean | null;
  readonly elapsedMs: number;
}

/** Sends what is known of a run. What was said by its tracker itself stands, and is not said again. */
function finishRun<C extends RunnableConfig>(run: GraphRun<C>, { said, success, elapsedMs }: RunEnd): void {
  const { tracker } = run;
  for (const [key, metrics] of Object.entries(said?.nodeMetrics ?? {})) run.reportNode(key, metrics);
  const { durationMs, success: outcome, path, tokens } = tracker.getSummary();
  if (durationMs === undefined) tracker.trackDuration(readMetrics(said)?.durationMs ?? elapsedMs);
  if (outcome === undefined && success === true) tracker.trackInvocationSuccess();
  if (outcome === undefined && success === false) tracker.trackInvocationFailure();
  const entered = said?.path ?? run.path;
  if (path === undefined && entered.length > 0) tracker.trackPath(entered);
  const sum = said?.tokens ?? run.sumTokens();
  if (tokens === undefined && sum !== null) tracker.trackTotalTokens(sum);
  run.close();
}

/** What was recorded of a run so far. */
export function summarize<C extends RunnableConfig>(run: GraphRun<C>): GraphRunMetrics {
  const nodeMetrics: Record<string, ConfigRunSummary> = {};
  for (const [key, summary] of run.nodeSummaries) setOwn(nodeMetrics, key, summary);
  const { activations } = run;
  return { path: [], ...run.tracker.getSummary(), nodeMetrics, ...(activations !== null && { activations }) };
}

import type { Clock } from '../core/clock.js';
import { type ScopeFacts, sumScopeTokens } from '../core/run-scope.js';
import { type RunMetrics, readMetrics } from '../trackers/run-metrics.js';
import type { NodeRecord, NodeRun } from './node-run.js';

/** One activation of a node, and with what it is measured. */
export interface NodeMeasuring<C, T> {
  readonly node: NodeRun<C>;
  readonly record: NodeRecord;
  readonly work: (node: NodeRun<C>) => T;
  readonly metricsOf: ((result: Awaited<T>) => RunMetrics) | undefined;
  /** What the scope knows of the calls made in it. */
  readonly facts: ScopeFacts | undefined;
  readonly clock: Clock;
}

/**
 * Lets a node work, and adds what it came to to its record: its time, its outcome, and where nobody says which tokens it took, those
 * of the calls made in its scope. Gives what the work gives, throws what it throws.
 */
export async function measureNode<C, T>(measuring: NodeMeasuring<C, T>): Promise<Awaited<T>> {
  const { node, record, work, metricsOf, facts, clock } = measuring;
  const begin = clock.monotonicMs();
  let durationMs: number | null = null;
  let success: boolean | null = false;
  let isCounted = false;
  try {
    const result = await work(node);
    durationMs = clock.monotonicMs() - begin;
    // What cannot be read of a node that worked is neither a success nor an error of it.
    success = null;
    const metrics = metricsOf === undefined ? null : readMetrics(metricsOf(result));
    isCounted = metrics !== null && metrics.tokens !== null;
    record.addTokens(metrics?.tokens);
    node.addToolCalls(metrics?.toolCalls ?? []);
    success = metricsOf === undefined ? true : (metrics?.success ?? null);
    durationMs = metrics?.durationMs ?? durationMs;
    return result;
  } finally {
    durationMs ??= clock.monotonicMs() - begin;
    if (!isCounted && !node.isCounted) record.addTokens(await sumScopeTokens(facts));
    record.end(node.activation, { success: node.hasFailed ? false : success, durationMs });
  }
}

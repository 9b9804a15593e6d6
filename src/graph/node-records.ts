import type { ConfigRunSummary } from '../trackers/config-run.js';
import type { ConfigTracker } from '../trackers/config-tracker.js';
import type { RunMetrics, TokenCounts } from '../trackers/run-metrics.js';
import { NodeRecord } from './node-run.js';

/**
 * What is one run of a node's config: all that the node does in a graph's run (`node`), added up, or each of its activations
 * (`activation`), with a tracker and a run id of its own.
 */
export type NodeTrackers = 'node' | 'activation';

/** What was recorded of one activation. */
export interface ActivationMetrics {
  readonly key: string;
  /** How often the node had been entered by then, this time included. */
  readonly activation: number;
  readonly metrics: ConfigRunSummary;
}

interface Entry {
  readonly key: string;
  readonly record: NodeRecord;
  /** 0 for one that was entered by nobody, and of which somebody said something all the same. */
  readonly activation: number;
}

/** So many activations are told one by one; those beyond are in the sums of their nodes. */
const mostActivations = 10_000;
/** As many as a tracker's summary has. */
const mostToolCalls = 10_000;

/** The records of one run's nodes: one for each node, or for each activation. */
export class NodeRecords {
  readonly #kind: NodeTrackers;
  readonly #newest = new Map<string, NodeRecord>();
  readonly #counts = new Map<string, number>();
  /** Of activations that have a record of their own, in the order they were entered. */
  readonly #entries: Entry[] = [];
  readonly #told = new Set<NodeRecord>();
  /** Of those that are told one by one no more, by node. */
  readonly #sums = new Map<string, ConfigRunSummary>();

  constructor(kind: NodeTrackers) {
    this.#kind = kind;
  }

  /** The record of an activation that is about to begin. */
  open(key: string, createTracker: () => ConfigTracker): NodeRecord {
    const known = this.#newest.get(key);
    if (known !== undefined && this.#kind === 'node') return known;
    const record = new NodeRecord(createTracker());
    if (this.#kind === 'node') this.#newest.set(key, record);
    return record;
  }

  /** Its activation begins; gives which of the node it is, from 1. */
  enter(key: string, record: NodeRecord): number {
    const activation = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, activation);
    record.begin(activation);
    this.#newest.set(key, record);
    if (this.#kind === 'activation' && this.#entries.length < mostActivations) {
      this.#tell({ key, record, activation });
    }
    return activation;
  }

  /** Its activation has ended. */
  leave(key: string, record: NodeRecord): void {
    if (this.#kind === 'node' || this.#told.has(record)) return;
    record.flush();
    this.#sums.set(key, addSummary(this.#sums.get(key), record.tracker.getSummary()));
  }

  /** @returns false where it cannot be said of which activation it is. */
  report(key: string, metrics: RunMetrics, createTracker: () => ConfigTracker): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (this.#kind === 'activation' && count > 1) return false;
    const known = this.#newest.get(key);
    const record = known ?? this.open(key, createTracker);
    record.report(metrics);
    if (known !== undefined) return true;
    this.#newest.set(key, record);
    if (this.#kind === 'activation') this.#tell({ key, record, activation: 0 });
    return true;
  }

  /** Tokens of all nodes together; `null` when none are known. */
  sumTokens(): TokenCounts | null {
    const kept = this.#list().map(({ tokens }) => tokens);
    const known = [...kept, ...[...this.#sums.values()].map(({ tokens }) => tokens)].flatMap((tokens) => tokens ?? []);
    return known.length === 0 ? null : known.reduce(addTokens);
  }

  /** Has each send what it came to. */
  flush(): void {
    for (const record of this.#list()) record.flush();
  }

  /** The trackers of the nodes that worked, by key: the newest of each. */
  get trackers(): ReadonlyMap<string, ConfigTracker> {
    return new Map([...this.#newest].map(([key, { tracker }]) => [key, tracker]));
  }

  /** What was recorded so far, by node; of several activations added up, with the newest one's outcome. */
  summarize(): ReadonlyMap<string, ConfigRunSummary> {
    if (this.#kind === 'node') return new Map([...this.trackers].map(([key, tracker]) => [key, tracker.getSummary()]));
    const sums = new Map<string, ConfigRunSummary>();
    for (const { key, record } of this.#entries) sums.set(key, addSummary(sums.get(key), record.tracker.getSummary()));
    for (const [key, sum] of this.#sums) sums.set(key, addSummary(sums.get(key), sum));
    return sums;
  }

  /** `null` where activations are not told apart. */
  listActivations(): readonly ActivationMetrics[] | null {
    if (this.#kind === 'node') return null;
    return this.#entries.map(({ key, activation, record }) => ({
      ...{ key, activation },
      metrics: record.tracker.getSummary(),
    }));
  }

  #tell(entry: Entry): void {
    this.#entries.push(entry);
    this.#told.add(entry.record);
  }

  #list(): readonly NodeRecord[] {
    return this.#kind === 'node' ? [...this.#newest.values()] : this.#entries.map(({ record }) => record);
  }
}

function addTokens(a: TokenCounts, b: TokenCounts): TokenCounts {
  return { total: a.total + b.total, input: a.input + b.input, output: a.output + b.output };
}

function addSummary(sum: ConfigRunSummary | undefined, later: ConfigRunSummary): ConfigRunSummary {
  if (sum === undefined) return later;
  const toolCalls = [...(sum.toolCalls ?? []), ...(later.toolCalls ?? [])].slice(0, mostToolCalls);
  const added =
    sum.tokens !== undefined && later.tokens !== undefined ? addTokens(sum.tokens, later.tokens) : undefined;
  const isTimed = sum.durationMs !== undefined && later.durationMs !== undefined;
  return {
    ...sum,
    ...later,
    ...(sum.timeToFirstTokenMs !== undefined && { timeToFirstTokenMs: sum.timeToFirstTokenMs }),
    ...(added !== undefined && { tokens: added }),
    ...(isTimed && { durationMs: sum.durationMs + later.durationMs }),
    ...(toolCalls.length > 0 && { toolCalls }),
  };
}

import type { CallRecord } from '../../core/call-record.js';
import type { TokenSum } from '../../core/ledger.js';
import { CONFIG_EVENTS, GRAPH_EVENTS, type RunEvent } from '../../core/run-events.js';
import type { GraphFlag } from '../../graph/graph-flag.js';

/** What one node of a graph's run cost. */
export interface NodeCost {
  readonly node: string;
  readonly calls: number;
  readonly errors: number;
  readonly inputTokens: TokenSum;
  readonly outputTokens: TokenSum;
  readonly costUsd: TokenSum;
  /** Of its calls, added up. */
  readonly latencyMs: number;
  /** By its own run's events: `false` when one of its runs failed; `null` when none said. */
  readonly success: boolean | null;
}

export interface GraphStep {
  readonly from: string;
  readonly to: string;
  /** `edge`: the graph has it, and nobody went that way. */
  readonly kind: 'handoff' | 'redirect' | 'failed handoff' | 'edge';
  readonly count: number;
}

/** One run of a graph, as calls and events tell it. */
export interface GraphRunView {
  readonly graphKey: string;
  /** `null` for a graph of which no run is on record. */
  readonly graphRunId: string | null;
  readonly nodes: readonly NodeCost[];
  readonly steps: readonly GraphStep[];
  /** As its tracker says; empty when it does not. */
  readonly path: readonly string[];
  readonly success: boolean | null;
  readonly durationMs: number | null;
  readonly totalTokens: number | null;
}

interface GraphRunParts {
  readonly graphKey: string;
  readonly graphRunId: string | null;
  /** The graph as it is defined, whose nodes and edges are there also when nobody came by. */
  readonly flag?: GraphFlag | undefined;
  readonly calls: Iterable<CallRecord>;
  /** Of the graph's own run, and of its nodes'. */
  readonly events: Iterable<RunEvent>;
}

type Sum = { known: number | null; unknownCalls: number };
type MutableNode = { -readonly [Name in keyof NodeCost]: NodeCost[Name] } & Record<
  'inputTokens' | 'outputTokens' | 'costUsd',
  Sum
>;

/**
 * A fold over the records and events of one run of a graph. Nodes come in the order of the path, then of their calls, then of
 * the graph's definition.
 */
export function readGraphRun({ graphKey, graphRunId, calls, events, flag }: GraphRunParts): GraphRunView {
  const folding = new GraphRunFolding(graphRunId);
  for (const event of events) folding.hear(event);
  for (const call of calls) folding.note(call);
  if (flag !== undefined) folding.complete(flag);
  return { graphKey, graphRunId, ...folding.view() };
}

class GraphRunFolding {
  readonly #graphRunId: string | null;
  readonly #nodes = new Map<string, MutableNode>();
  readonly #steps = new Map<string, GraphStep>();
  #path: readonly string[] = [];
  #success: boolean | null = null;
  #durationMs: number | null = null;
  #totalTokens: number | null = null;

  constructor(graphRunId: string | null) {
    this.#graphRunId = graphRunId;
  }

  note(call: CallRecord): void {
    const node = this.#node(call.configKey ?? '(no config)');
    node.calls += 1;
    node.errors += call.error === null ? 0 : 1;
    node.latencyMs += call.latencyMs;
    addTo(node.inputTokens, call.usage.inputTokens);
    addTo(node.outputTokens, call.usage.outputTokens);
    addTo(node.costUsd, call.cost.usd);
  }

  hear({ name, runId, value, data }: RunEvent): void {
    const fields = (typeof data === 'object' && data !== null ? data : {}) as Readonly<Record<string, unknown>>;
    if (runId !== null && runId === this.#graphRunId) this.#hearGraph(name, value, fields);
    const { configKey } = fields;
    if (typeof configKey !== 'string') return;
    if (name === CONFIG_EVENTS.success) this.#node(configKey).success ??= true;
    else if (name === CONFIG_EVENTS.error) this.#node(configKey).success = false;
  }

  /** Adds what the graph has and the run did not come by. */
  complete({ reachable, edges }: GraphFlag): void {
    const taken = new Set([...this.#steps.values()].map(({ from, to }) => JSON.stringify([from, to])));
    for (const from of reachable) {
      this.#node(from);
      for (const { key: to } of edges.get(from) ?? []) {
        if (!taken.has(JSON.stringify([from, to]))) {
          this.#steps.set(JSON.stringify(['edge', from, to]), { kind: 'edge', from, to, count: 0 });
        }
      }
    }
  }

  view(): Omit<GraphRunView, 'graphKey' | 'graphRunId'> {
    for (const { from, to } of this.#steps.values()) for (const key of [from, to]) this.#node(key);
    const order = new Map([...new Set([...this.#path, ...this.#nodes.keys()])].map((key, at) => [key, at]));
    const nodes = [...this.#nodes.values()].toSorted((a, b) => (order.get(a.node) ?? 0) - (order.get(b.node) ?? 0));
    const [path, success, durationMs, totalTokens] = [this.#path, this.#success, this.#durationMs, this.#totalTokens];
    return { nodes, steps: [...this.#steps.values()], path, success, durationMs, totalTokens };
  }

  #hearGraph(name: string, value: number | null, fields: Readonly<Record<string, unknown>>): void {
    const { path, sourceKey, targetKey, redirectedTarget } = fields;
    if (name === GRAPH_EVENTS.success) this.#success = true;
    else if (name === GRAPH_EVENTS.failure) this.#success = false;
    else if (name === GRAPH_EVENTS.duration) this.#durationMs = value;
    else if (name === GRAPH_EVENTS.totalTokens) this.#totalTokens = value;
    else if (name === GRAPH_EVENTS.path && Array.isArray(path)) {
      this.#path = path.map(String);
      for (const key of this.#path) this.#node(key);
    } else if (name === GRAPH_EVENTS.handoffSuccess) this.#step('handoff', sourceKey, targetKey);
    else if (name === GRAPH_EVENTS.handoffFailure) this.#step('failed handoff', sourceKey, targetKey);
    else if (name === GRAPH_EVENTS.redirect) this.#step('redirect', sourceKey, redirectedTarget);
  }

  #step(kind: GraphStep['kind'], from: unknown, to: unknown): void {
    if (typeof from !== 'string' || typeof to !== 'string') return;
    const key = JSON.stringify([kind, from, to]);
    this.#steps.set(key, { kind, from, to, count: (this.#steps.get(key)?.count ?? 0) + 1 });
  }

  #node(key: string): MutableNode {
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const sum = (): Sum => ({ known: null, unknownCalls: 0 });
    const node: MutableNode = {
      ...{ node: key, calls: 0, errors: 0, latencyMs: 0, success: null },
      ...{ inputTokens: sum(), outputTokens: sum(), costUsd: sum() },
    };
    this.#nodes.set(key, node);
    return node;
  }
}

function addTo(sum: Sum, value: number | null): void {
  if (value === null) sum.unknownCalls += 1;
  else sum.known = (sum.known ?? 0) + value;
}

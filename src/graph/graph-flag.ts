import { isObject } from '../core/option-checks.js';
import { copyPlainData } from '../core/plain-copy.js';

/** Where a node leads. */
export interface GraphEdge {
  /** The config key of the node it leads to. */
  readonly key: string;
  /** What the flag says of the handoff; absent when it says nothing that is an object. */
  readonly handoff?: Readonly<Record<string, unknown>>;
}

/** A flag's value read as a graph: what is malformed is left out. */
export interface GraphFlag {
  /** False only where the flag says `false`. */
  readonly enabled: boolean;
  /** Empty when there is none. */
  readonly root: string;
  /** Edges by the key of the node they leave, in the flag's order; a node without edges may be missing. */
  readonly edges: ReadonlyMap<string, readonly GraphEdge[]>;
  /** Every key it mentions, once: its root, then each source followed by its targets, in the flag's order. */
  readonly keys: ReadonlySet<string>;
  /** The keys that can be reached from the root, in the order they are come upon, level by level. */
  readonly reachable: ReadonlySet<string>;
  /** Empty when there is none. */
  readonly variationKey: string;
  /** 1 when absent. */
  readonly version: number;
  /** The value as it was, frozen; `{ root: '' }` for what is no object. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Reads a flag's value as a graph of agents; never throws. Source of the format: js-core packages/sdk/server-ai 1.1.1,
 * src/api/graph/types.ts, read 2026-11-27.
 *
 * @example
 * readGraphFlag({ root: 'a', edges: { a: [{ key: 'b' }, { no: 'key' }] } }).edges.get('a'); // [{ key: 'b' }]
 */
export function readGraphFlag(value: unknown): GraphFlag {
  const flag = copyPlainData(toObject(value), true);
  const meta = toObject(flag._ldMeta);
  const root = typeof flag.root === 'string' ? flag.root : '';
  const edges = readEdges(flag.edges);
  return Object.freeze({
    enabled: meta.enabled !== false,
    root,
    edges,
    keys: collectKeys(root, edges),
    reachable: discoverKeys(root, edges),
    variationKey: typeof meta.variationKey === 'string' ? meta.variationKey : '',
    version: typeof meta.version === 'number' && Number.isFinite(meta.version) ? meta.version : 1,
    config: isObject(value) ? flag : Object.freeze({ root: '' }),
  });
}

type Edges = GraphFlag['edges'];

function collectKeys(root: string, edges: Edges): ReadonlySet<string> {
  const keys = new Set<string>(root === '' ? [] : [root]);
  for (const [source, targets] of edges) {
    keys.add(source);
    for (const { key } of targets) keys.add(key);
  }
  return keys;
}

function discoverKeys(root: string, edges: Edges): ReadonlySet<string> {
  const found = new Set<string>(root === '' ? [] : [root]);
  // A set that grows while it is walked is walked to its end.
  for (const key of found) for (const edge of edges.get(key) ?? []) found.add(edge.key);
  return found;
}

/** Of the flag's frozen copy, whose parts are shared wherever they are as they should be. */
function readEdges(value: unknown): Edges {
  const edges = new Map<string, readonly GraphEdge[]>();
  for (const [source, targets] of Object.entries(toObject(value))) {
    if (!Array.isArray(targets)) continue;
    edges.set(source, targets.every(isEdge) ? targets : Object.freeze(targets.flatMap(readEdge)));
  }
  return edges;
}

function isEdge(value: unknown): value is GraphEdge {
  const { key, handoff } = toObject(value);
  return typeof key === 'string' && key !== '' && (handoff === undefined || isObject(handoff));
}

function readEdge(value: unknown): readonly GraphEdge[] {
  if (isEdge(value)) return [value];
  const { handoff: _, ...edge } = toObject(value);
  return isEdge(edge) ? [Object.freeze(edge)] : [];
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

import type { Origin } from '../../../core/wire.js';
import hook from '../../node-hook.cjs';
import { runInScope } from '../../scope.js';

/** What undici 5 to 7 and Node's own copy share. Most of it hides behind symbols, told by their descriptions alone. */
export interface Dispatcher {
  readonly closed: boolean;
  readonly destroyed: boolean;
  dispatch(options: DispatchOptions, handler: unknown): boolean;
  close(): Promise<void>;
  destroy(error?: unknown): Promise<void>;
  on(event: string, listener: (...args: unknown[]) => void): this;
  emit(event: string, ...args: unknown[]): boolean;
}

export interface DispatchOptions {
  readonly origin?: unknown;
}

/** Opens a connection; undici's `buildConnector`, or the caller's own `connect`. */
export type Connector = (options: unknown, done: unknown) => unknown;

/** A dispatcher that has connections of its own: undici's `Client`. */
export interface Leaf {
  readonly client: Dispatcher;
  readonly connector: Connector;
  /** Of `Client` itself, whatever was derived from it. */
  readonly prototype: object & { readonly constructor: new (origin: unknown, options: object) => Dispatcher };
  /** A `MockClient` answers by itself, or through connections we cannot keep apart. */
  readonly isMock: boolean;
}

const leaves = new WeakMap<object, { readonly leaf: Leaf | undefined }>();

/** The value behind an own symbol of that description. */
export function findHidden(target: object, description: string): unknown {
  const symbol = findSymbol(target, description);
  return symbol === undefined ? undefined : Reflect.get(target, symbol);
}

export function findSymbol(target: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(target).find((symbol) => symbol.description === description);
}

/** `undefined` for what passes on to others: `Agent`, `Pool`, `ProxyAgent` … */
export function findLeaf(dispatcher: Dispatcher): Leaf | undefined {
  const known = leaves.get(dispatcher);
  if (known !== undefined) return known.leaf;
  const leaf = makeLeaf(dispatcher);
  leaves.set(dispatcher, { leaf });
  return leaf;
}

/**
 * Makes a client connect outside every scope from now on. For one whose first connection was made in a scope: it would
 * make the next one in that scope too, whoever waits for it.
 */
export function detachConnector({ client, connector }: Leaf): void {
  const symbol = findSymbol(client, 'connector');
  if (symbol === undefined || Reflect.get(client, symbol) !== connector) return;
  const outside: Connector = (options, done) => runInScope(null, () => connector(options, done));
  Reflect.set(client, symbol, outside);
}

function makeLeaf(client: Dispatcher): Leaf | undefined {
  const connector = findHidden(client, 'connector');
  if (typeof connector !== 'function' || !Array.isArray(findHidden(client, 'queue'))) return undefined;
  const chain = listPrototypes(client);
  const prototype = chain.find((object) => findSymbol(object, 'dispatch') !== undefined && findSymbol(object, 'close'));
  if (prototype === undefined) return undefined;
  const isMock = chain.some((object) => object.constructor.name.startsWith('Mock'));
  return { client, connector: connector as Connector, prototype: prototype as Leaf['prototype'], isMock };
}

/** `DispatcherBase.prototype`, which every dispatcher of a copy inherits `dispatch` from. */
export function findBasePrototype(dispatcher: unknown): object | undefined {
  if (typeof dispatcher !== 'object' || dispatcher === null) return undefined;
  return listPrototypes(dispatcher).find(isBasePrototype);
}

/** The class below it, `Dispatcher`, has these methods too, but throws in them and knows no `destroyed`. */
export function isBasePrototype(object: object): boolean {
  const isAccessor = Object.getOwnPropertyDescriptor(object, 'destroyed')?.get !== undefined;
  return isAccessor && typeof Object.getOwnPropertyDescriptor(object, 'dispatch')?.value === 'function';
}

function listPrototypes(object: object): object[] {
  const chain: object[] = [];
  let next: unknown = Object.getPrototypeOf(object);
  while (typeof next === 'object' && next !== null && next !== Object.prototype) {
    chain.push(next);
    next = Object.getPrototypeOf(next);
  }
  return chain;
}

/** Where a dispatch goes; `undefined` for what is no origin. */
export function readDestination(origin: unknown): Origin | undefined {
  if (typeof origin !== 'string' && !(origin instanceof URL)) return undefined;
  try {
    const { protocol, hostname, port } = new URL(origin);
    if (protocol !== 'https:' && protocol !== 'http:') return undefined;
    const scheme = protocol === 'https:' ? 'https' : 'http';
    return { scheme, host: hook.bare(hostname), port: Number(port || (scheme === 'https' ? 443 : 80)) };
  } catch {
    // undici itself says what is wrong with it.
    return undefined;
  }
}

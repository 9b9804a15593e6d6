import { isGrpc } from '../core/grpc.js';
import type { SocketDialect, SocketMatch } from '../core/socket.js';
import type {
  ApiAddress,
  AskedAddress,
  Dialect,
  Origin,
  ProviderMatch,
  ProviderRegistration,
  ProviderRegistry,
  RequestHead,
} from '../core/wire.js';
import { findApiAddress } from './api-address.js';
import { CATALOGUE } from './catalogue.js';
import { type CloudPlaces, readCloudPlaces } from './cloud-places.js';
import { type HostPattern, makeHostPattern } from './host-pattern.js';
import { findMessagesCrossing } from './messages-crossings.js';
import { joinSlashes, makePathPattern, type PathPattern, readSegments } from './path-pattern.js';
import type { CatalogueEntry, ProviderApi, ProviderSocket } from './provider-apis.js';
import { OTHER_APIS, USUAL_APIS, USUAL_SOCKETS } from './registered-apis.js';
import { type CheckedRegistration, makeHostName, makeOriginKey, readRegistration } from './registration.js';
import { maybeCall } from './unlisted.js';
import { unlisted } from './unread.js';

interface Route {
  readonly path: string;
  readonly pattern: PathPattern;
  /** `null` for a path that looks like a call and is none. */
  readonly api: ProviderApi | null;
}

interface SocketRoute {
  readonly pattern: PathPattern;
  readonly dialect: SocketDialect;
}

interface Provider {
  readonly name: string;
  /** Where it is, as far as one place can be told; `null` when only the client knows. */
  readonly origin: Origin | null;
  readonly routes: readonly Route[];
  readonly sockets: readonly SocketRoute[];
  readonly grpc: readonly { readonly pattern: PathPattern; readonly dialect: Dialect }[];
}

interface RegisteredProvider extends Provider {
  readonly origin: Origin;
  readonly prefix: string;
  readonly key: string;
}

/**
 * Opens a registry of the built-in providers (`catalogue.ts`), to which the user's own are added.
 *
 * A request is a call when its method is POST, its origin a provider's, and its path exactly one of the provider's
 * (query and one trailing slash aside); a socket carries calls when its upgrade, a GET, asks for one of its paths. Registered hosts are looked at first; then, also on such a host, the built-in.
 * On registered hosts doubled slashes count as one, since many servers take them so, and clients make them of a base URL
 * that ends with a slash; the built-in providers' paths are compared as they are, but for those of WebSockets.
 *
 * ```ts
 * const registry = openRegistry();
 * registry.register({ name: 'ollama', baseUrl: 'http://localhost:11434' });
 * const origin = { scheme: 'http', host: '127.0.0.1', port: 11434 } as const;
 * registry.recognise({ origin, method: 'POST', path: '/v1/chat/completions', rawHeaders: [] })?.provider;   // 'ollama'
 * ```
 *
 * @param places where in the clouds calls are routed to that say nothing of it
 */
export function openRegistry(places: CloudPlaces = readCloudPlaces()): ProviderRegistry {
  return new Registry(places);
}

class Registry implements ProviderRegistry {
  readonly #byHost = new Map<string, Provider>();
  readonly #byPattern: { readonly pattern: HostPattern; readonly provider: Provider }[] = [];
  readonly #registered = new Map<string, RegisteredProvider>();
  readonly #builtIn = new Map<string, Provider>();
  readonly #places: CloudPlaces;

  constructor(places: CloudPlaces) {
    this.#places = places;
    for (const entry of CATALOGUE) this.#add(entry);
  }

  get knownHosts(): readonly string[] {
    return [...this.#byHost.keys()];
  }

  get registered(): readonly Origin[] {
    return [...this.#registered.values()].map((provider) => provider.origin);
  }

  isProvider(origin: Origin): boolean {
    return this.#findRegistered(origin).length > 0 || this.#findBuiltIn(origin) !== undefined;
  }

  recognise(head: RequestHead): ProviderMatch | undefined {
    return head.method === 'POST' ? this.#find(head, findMatch) : undefined;
  }

  recogniseUnlisted(head: RequestHead): ProviderMatch | undefined {
    if (!maybeCall(head) || isGrpc(head)) return undefined;
    // Which paths of a registered host are calls, its user has said.
    const provider = this.#findRegistered(head.origin).length > 0 ? undefined : this.#findBuiltIn(head.origin);
    const isListed = this.#find(head, ({ routes }, _head, segments) =>
      routes.find(({ pattern }) => pattern.matches(segments)),
    );
    if (provider === undefined || isListed !== undefined) return undefined;
    return { provider: provider.name, dialect: unlisted, canAskForStreamUsage: false };
  }

  recogniseSocket(head: RequestHead): SocketMatch | undefined {
    return head.method === 'GET' ? this.#find(head, findSocket) : undefined;
  }

  findAddress(name: string, asked: AskedAddress): ApiAddress | { readonly problem: string } {
    const registered = this.#registered.get(name);
    const provider = registered ?? this.#builtIn.get(name);
    if (provider === undefined) return { problem: `there is no provider ${JSON.stringify(name)}` };
    const crossed = registered === undefined ? findMessagesCrossing(name, asked, this.#places) : undefined;
    return crossed ?? findApiAddress(provider, { ...asked, prefix: registered?.prefix ?? '' });
  }

  #find<T>(head: RequestHead, find: Finder<T>): T | undefined {
    const segments = readSegments(head.path);
    for (const provider of this.#findRegistered(head.origin)) {
      const match = find(provider, head, segments) ?? find(provider, head, joinSlashes(segments));
      if (match !== undefined) return match;
    }
    const builtIn = this.#findBuiltIn(head.origin);
    return builtIn === undefined ? undefined : find(builtIn, head, segments);
  }

  register(registration: ProviderRegistration): void {
    const checked = readRegistration(registration);
    const { name, origin } = checked;
    this.#registered.delete(name);
    const routes = makeRegisteredRoutes(checked);
    const sockets = makeSocketRoutes(USUAL_SOCKETS[checked.dialect], checked.prefix);
    this.#registered.set(name, {
      name,
      origin,
      prefix: checked.prefix,
      key: makeOriginKey(origin),
      routes,
      sockets,
      grpc: [],
    });
  }

  #add(entry: CatalogueEntry): void {
    const calls = entry.apis.flatMap((api) => makeRoutes(api, ''));
    const others = (entry.notCalls ?? []).map((path) => ({ path, pattern: makePathPattern(path), api: null }));
    const host = entry.hosts.find((name) => !name.includes('*'));
    const provider: Provider = {
      name: entry.name,
      origin: host === undefined ? null : { scheme: 'https', host, port: 443 },
      routes: [...others, ...calls],
      sockets: makeSocketRoutes(entry.sockets ?? [], ''),
      grpc: (entry.grpc ?? []).map(({ path, dialect }) => ({ pattern: makePathPattern(path), dialect })),
    };
    this.#builtIn.set(entry.name, provider);
    for (const host of entry.hosts) {
      if (host.includes('*')) this.#byPattern.push({ pattern: makeHostPattern(host), provider });
      else this.#byHost.set(host, provider);
    }
  }

  #findRegistered(origin: Origin): RegisteredProvider[] {
    if (this.#registered.size === 0) return [];
    const key = makeOriginKey(origin);
    return [...this.#registered.values()].filter((provider) => provider.key === key);
  }

  #findBuiltIn(origin: Origin): Provider | undefined {
    if (origin.scheme !== 'https' || origin.port !== 443) return undefined;
    const host = makeHostName(origin.host);
    const exact = this.#byHost.get(host);
    if (exact !== undefined) return exact;
    const labels = host.split('.');
    return this.#byPattern.find(({ pattern }) => pattern.matches(labels))?.provider;
  }
}

type Finder<T> = (provider: Provider, head: RequestHead, segments: readonly string[]) => T | undefined;

function findMatch(provider: Provider, head: RequestHead, segments: readonly string[]): ProviderMatch | undefined {
  if (provider.grpc.length > 0 && isGrpc(head)) {
    const called = provider.grpc.find(({ pattern }) => pattern.matches(segments));
    return called && { provider: provider.name, dialect: called.dialect, canAskForStreamUsage: false };
  }
  const route = provider.routes.find(({ pattern }) => pattern.matches(segments));
  if (route === undefined || route.api === null) return undefined;
  const { dialect, canAskForStreamUsage } = route.api;
  return { provider: provider.name, dialect, canAskForStreamUsage: canAskForStreamUsage?.(head.path) ?? false };
}

/** The npm package `@google/genai` 2.32 asks for `//ws/…` (seen 2026-11-27): doubled slashes count as one everywhere. */
function findSocket(provider: Provider, _head: RequestHead, segments: readonly string[]): SocketMatch | undefined {
  const joined = joinSlashes(segments);
  const route = provider.sockets.find(({ pattern }) => pattern.matches(joined));
  return route === undefined ? undefined : { provider: provider.name, dialect: route.dialect };
}

function makeSocketRoutes(sockets: readonly ProviderSocket[], prefix: string): SocketRoute[] {
  return sockets.flatMap(({ dialect, paths }) =>
    paths.map((path) => ({ pattern: makePathPattern(`${prefix}${path}`), dialect })),
  );
}

function makeRegisteredRoutes({ dialect, prefix, pathPatterns }: CheckedRegistration): Route[] {
  const apis = USUAL_APIS[dialect];
  const usual = apis.flatMap((api) => makeRoutes(api, prefix));
  const root = prefix.replace(/\/v1$/, '');
  const others = dialect === 'openai' ? OTHER_APIS.flatMap((api) => makeRoutes(api, root)) : [];
  const own = pathPatterns
    .flatMap((path) => (prefix === '' ? [path] : [`${prefix}${path}`, path]))
    .map((path) => ({ path, pattern: makePathPattern(path), api: apis[0] }));
  return [...usual, ...own, ...others];
}

function makeRoutes(api: ProviderApi, prefix: string): Route[] {
  return api.paths.map((path) => ({ path: `${prefix}${path}`, pattern: makePathPattern(`${prefix}${path}`), api }));
}

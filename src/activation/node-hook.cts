// Longer than 250 lines: a preload is one file without dependencies.
/**
 * Preloaded into Node children by `NODE_OPTIONS=--require`: sends their TLS connections through the session's proxy. The
 * calls of a scope in the tap's own process take the same tunnels: `traffic/` borrows the parts named at the end.
 *
 * Node below 22.21 ignores the proxy variables, and above it agents of the program's own, `ws` and `http2` still do.
 * All of them look `tls.connect` up when they call it, so that is the one function replaced: without a ready `socket`
 * it gets one that has been through CONNECT (measured on Node 18 to 24). Where the user registered a model on plain
 * HTTP, `net.connect` is replaced too, for exactly those hosts and ports.
 *
 * One file, CommonJS, no dependencies, syntax of Node 18; runs again in every Worker. Reads `LLMTAP_HOOK` alone, JSON
 * as `makeHookSettings` in child-env.ts writes it, and does nothing without it. Never throws into the program.
 */
import nodeModule = require('node:module');
import net = require('node:net');
import tls = require('node:tls');
import url = require('node:url');

interface Settings extends Route {
  readonly noProxy: readonly string[];
  /** `host:port`, lower case. */
  readonly registeredHttps: ReadonlySet<string>;
  readonly registeredHttp: ReadonlySet<string>;
  /** PEM of a root a Worker of a scope has to be told of; children have it from their variables. */
  readonly workerRoot: string | undefined;
}

/** Where a tunnel leads, and how CONNECT is put. */
interface Route {
  readonly proxyHost: string;
  readonly proxyPort: number;
  /** `Proxy-Authorization`, or `null`. */
  readonly authorization: string | null;
  /** Further lines of the CONNECT, without their ends. */
  readonly headerLines?: readonly string[];
  /** What the socket ends with after such a reply, given whole with its headers; `undefined` says it in our own words. */
  readonly makeError?: (reply: string) => Error | undefined;
  /** The event that an interim reply of 1xx tells of, given whole with its headers. */
  readonly readStep?: (reply: string) => readonly [name: string, ...args: unknown[]] | undefined;
}

interface Call {
  readonly options: Readonly<Record<string, unknown>>;
  readonly onConnect: (() => void) | undefined;
  readonly host: string;
  readonly port: number;
}

type Connect = (...args: unknown[]) => net.Socket;

/** Marks the `tls` module of a thread as patched, whichever copy of this file did it. */
const marker = Symbol.for('llmtap.node-hook');
/** What Node tells of a connection on its way. Source: Node's net.md, `net.Socket` (read 2026-11-27). */
const stepEvents: ReadonlySet<unknown> = new Set([
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
]);
/** A proxy's CONNECT reply beyond this is none. */
const maxReplyBytes = 524_288;

function readSettings(): Settings | undefined {
  const text = process.env.LLMTAP_HOOK;
  if (text === undefined || text === '') return undefined;
  const { proxy, noProxy, registered, workerRoot } = JSON.parse(text) as {
    proxy: string;
    noProxy: string;
    registered: string[];
    workerRoot?: string;
  };
  const { hostname, port, username, password } = new URL(proxy);
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const origins = registered.map((origin) => new URL(origin));
  const pairsOf = (protocol: string, usualPort: number) =>
    new Set(origins.filter((o) => o.protocol === protocol).map((o) => `${bare(o.hostname)}:${o.port || usualPort}`));
  return {
    proxyHost: bare(hostname),
    proxyPort: port === '' ? 80 : Number(port),
    authorization: login === ':' ? null : `Basic ${Buffer.from(login).toString('base64')}`,
    noProxy: noProxy.split(/[\s,]+/).filter((entry) => entry !== ''),
    registeredHttps: pairsOf('https:', 443),
    registeredHttp: pairsOf('http:', 80),
    workerRoot,
  };
}

/** A host as it is compared: lower case, no brackets, no trailing dot. */
function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/(.)\.$/, '$1');
}

/** The forms `(options)`, `(port[, host][, options])`, each with a callback; `undefined` for what no proxy can take. */
function findCall(args: readonly unknown[]): Call | undefined {
  const [first, second, third] = args;
  const last = args.at(-1);
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (Array.isArray(first)) return undefined;
  const named = isObject(first) ? first : { port: first, host: typeof second === 'string' ? second : undefined };
  const further = isObject(second) ? second : isObject(third) ? third : {};
  const options: Record<string, unknown> = { ...named, ...further };
  // A ready socket, a unix socket, a handle, or a buffer of the caller's that the proxy's reply would land in.
  if (options.socket || options.path || options.fd !== undefined || options.handle || options.onread) return undefined;
  const host = findSendableHost(options.host || 'localhost');
  const port = typeof options.port === 'string' && options.port.trim() !== '' ? Number(options.port) : options.port;
  if (host === undefined || typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return undefined;
  }
  return { options, onConnect: typeof last === 'function' ? (last as () => void) : undefined, host, port };
}

/** The host as a CONNECT line may carry it; `undefined` for anything else (IPv6 zones, control characters). */
function findSendableHost(host: unknown): string | undefined {
  if (typeof host !== 'string') return undefined;
  if (net.isIP(host) !== 0) return host.includes('%') ? undefined : host;
  const ascii = url.domainToASCII(host);
  return /^[\w.-]+$/.test(ascii) ? ascii : undefined;
}

function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|::ffff:127(\.\d+){3}|::1|::|0\.0\.0\.0)$/.test(host);
}

/** As curl and Go read it: a name means itself and what is below it, a leading dot or `*.` changes nothing. */
function isExcepted(host: string, port: number, noProxy: readonly string[]): boolean {
  return noProxy.some((entry) => {
    if (entry === '*') return true;
    const [, name = '', entryPort] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (entryPort !== undefined && Number(entryPort) !== port) return false;
    const [address = '', prefix] = name.split('/');
    const plain = bare(address.replace(/^\*?\./, ''));
    if (prefix !== undefined) return isInSubnet(host, plain, Number(prefix));
    return plain !== '' && (host === plain || (net.isIP(host) === 0 && host.endsWith(`.${plain}`)));
  });
}

function isInSubnet(host: string, network: string, prefix: number): boolean {
  const family = net.isIP(host);
  if (family === 0 || family !== net.isIP(network) || !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))) {
    return false;
  }
  const list = new net.BlockList();
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Takes a socket through CONNECT and holds its `connect` back until the tunnel stands. While `connecting` is true Node
 * queues what the program writes and defers its reads, so the socket is a real one throughout: time-outs, ref and
 * unref, back-pressure and errors are its own. What Node tells of a connection on its way is told of the one to the
 * provider where the proxy tells of it; else of this one, when the tunnel stands: who waits for it is not left waiting.
 */
class TunnelOpening {
  readonly #socket: net.Socket;
  readonly #call: Call;
  readonly #place: string;
  readonly #authority: string;
  readonly #route: Route;
  /** Where the program listens. */
  readonly #heard: net.Socket;
  readonly #emit: (...args: never[]) => unknown;
  /** Of the way to the proxy, until it is known whether that tells of its own. */
  #steps: unknown[][] | null = [];
  readonly #held: [name: string, value: unknown][] = [];
  #proxyAddress = '';
  #received: Buffer = Buffer.alloc(0);
  #open = false;

  constructor(socket: net.Socket, call: Call, { route, heard = socket }: { route: Route; heard?: net.Socket }) {
    this.#socket = socket;
    this.#call = call;
    this.#route = route;
    this.#heard = heard;
    this.#emit = heard.emit.bind(heard);
    this.#place = `the session's proxy at ${route.proxyHost}:${route.proxyPort}`;
    this.#authority = `${net.isIPv6(call.host) ? `[${call.host}]` : call.host}:${call.port}`;
    const login = route.authorization === null ? [] : [`Proxy-Authorization: ${route.authorization}`];
    const lines = [`Host: ${this.#authority}`, ...login, ...(route.headerLines ?? [])];
    const head = `CONNECT ${this.#authority} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
    const emit: (...args: never[]) => unknown = socket.emit.bind(socket);
    const push: (...args: never[]) => unknown = socket.push.bind(socket);
    this.#hold('emit', (...args: unknown[]) => {
      const isStep = stepEvents.has(args[0]);
      if (this.#open || !(isStep || args[0] === 'connect' || args[0] === 'ready'))
        return Reflect.apply(emit, socket, args);
      if (args[0] === 'connect') this.#send(head);
      if (isStep) this.#steps?.push(args);
      return true;
    });
    this.#hold('push', (...args: unknown[]) => {
      if (this.#open) return Reflect.apply(push, socket, args);
      this.#read(args[0] as Buffer | null);
      return true;
    });
    socket.connect({ host: route.proxyHost, port: route.proxyPort });
  }

  #hold(name: 'emit' | 'push', value: (...args: unknown[]) => unknown): void {
    define(this.#socket, name, value);
    this.#held.push([name, value]);
  }

  #send(head: string): void {
    this.#proxyAddress = this.#socket.remoteAddress ?? '';
    // NOTE: the stream's own queue may already hold the program's first write, so both go below it.
    this.#socket._write(head, 'latin1', (error) => error && this.#socket.destroy(error));
    this.#socket._read(0);
    define(this.#socket, 'connecting', true);
  }

  #read(chunk: Buffer | null): void {
    this.#received = Buffer.concat([this.#received, chunk ?? Buffer.alloc(0)]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end >= 0 && /^HTTP\/1\.[01] 1\d\d/.test(this.#received.toString('latin1', 0, 12))) {
      const interim = this.#received.toString('latin1', 0, end);
      this.#received = this.#received.subarray(end + 4);
      this.#tell(this.#route.readStep?.(interim));
      return this.#socket.destroyed ? undefined : this.#read(chunk === null ? null : Buffer.alloc(0));
    }
    const status = this.#received.toString('latin1', 0, 512).split('\r\n', 1)[0] ?? '';
    if (end >= 0 && /^HTTP\/1\.[01] 2\d\d/.test(status)) this.#finish(this.#received.subarray(end + 4));
    else if (end >= 0 || this.#received.length > maxReplyBytes) this.#fail(`answered CONNECT with "${status}"`);
    else if (chunk === null) this.#fail('closed before it answered CONNECT');
  }

  #tell(step: readonly unknown[] | undefined): void {
    if (step === undefined || !stepEvents.has(step[0])) return;
    this.#steps = null;
    Reflect.apply(this.#emit, this.#heard, step);
  }

  #tellOwnSteps(): void {
    const { host } = this.#call;
    const lookup = ['lookup', null, this.#proxyAddress, net.isIP(this.#proxyAddress), host];
    const attempts = (this.#steps ?? []).filter(([name]) => name !== 'lookup');
    if (this.#steps !== null)
      for (const step of net.isIP(host) === 0 ? [lookup, ...attempts] : attempts) this.#tell(step);
  }

  #finish(early: Buffer): void {
    this.#tellOwnSteps();
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#open = true;
    this.#received = Buffer.alloc(0);
    for (const [name, value] of this.#held)
      if (Reflect.get(socket, name) === value) Reflect.deleteProperty(socket, name);
    define(socket, 'connecting', false);
    socket.emit('connect');
    socket.emit('ready');
    if (early.length > 0 && !socket.destroyed) socket.push(early);
  }

  #fail(found: string): void {
    const { host, port } = this.#call;
    const facts = { code: 'ECONNRESET', syscall: 'connect', host, port };
    const told = this.#route.makeError?.(this.#received.toString('latin1'));
    this.#heard.destroy(
      told ?? Object.assign(new Error(`llmtap: ${this.#place} ${found} for ${this.#authority}`), facts),
    );
  }
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: name === 'connecting' });
}

/**
 * What a caller may ask of the transport goes on to the tunnel, which alone has one (its peer is the proxy, as with any
 * tunnelling agent), and they close in the order of a direct connection: TLS drops what the program has not read as soon
 * as its transport closes (up to 64 kB, and an assertion on Node 18; measured), so the tunnel outlives its last byte and
 * goes by an error or after the TLS socket.
 */
function forwardToTunnel(socket: net.Socket, tunnel: net.Socket): void {
  for (const name of ['ref', 'unref', 'setKeepAlive', 'setNoDelay'] as const) {
    const original: (...args: never[]) => net.Socket = socket[name];
    const value = function (this: net.Socket, ...args: unknown[]): net.Socket {
      Reflect.apply(tunnel[name], tunnel, args);
      return Reflect.apply(original, this, args);
    };
    define(socket, name, value);
  }
  for (const name of ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort'] as const) {
    Object.defineProperty(socket, name, { get: () => tunnel[name], configurable: true });
  }
  const destroy = tunnel.destroy.bind(tunnel);
  tunnel.allowHalfOpen = true;
  define(tunnel, 'destroy', (error?: Error) => (error || socket.destroyed ? destroy(error) : tunnel));
  socket.once('close', () => tunnel.destroy());
  // Node 18 leaves the TLS socket open after such an error.
  tunnel.once('close', () => socket.destroy());
  // Of a socket it wraps TLS tells 'connect' alone (lib/_tls_wrap.js, measured, Node 20.20).
  tunnel.once('ready', () => socket.emit('ready'));
}

/** A TLS socket over a tunnel that is not open yet; `open` is called with both in the next tick. */
function connectTls(connect: Connect, call: Call, open: (tunnel: net.Socket, heard: net.Socket) => void): net.Socket {
  const { options, onConnect, host } = call;
  const { allowHalfOpen, keepAlive, keepAliveInitialDelay } = options;
  const tunnelOptions = { allowHalfOpen, keepAlive, keepAliveInitialDelay, noDelay: true };
  const tunnel = new net.Socket(tunnelOptions as net.SocketConstructorOpts);
  const servername = options.servername ?? (net.isIP(host) === 0 ? host : undefined);
  // NOTE: not connected yet on purpose: a socket that has a handle is read by TLS from the first byte, the proxy's
  // reply included; one without is waited for.
  const socket = connect({ ...options, servername, socket: tunnel }, ...(onConnect === undefined ? [] : [onConnect]));
  process.nextTick(() => socket.destroyed || open(tunnel, socket));
  if (typeof options.timeout === 'number' && options.timeout > 0) socket.setTimeout(options.timeout);
  forwardToTunnel(socket, tunnel);
  return socket;
}

/** A plain socket through a tunnel; `open` is called with it at once. */
function connectNet(call: Call, open: (socket: net.Socket) => void): net.Socket {
  const socket = new net.Socket(call.options);
  if (typeof call.options.timeout === 'number' && call.options.timeout > 0) socket.setTimeout(call.options.timeout);
  if (call.onConnect !== undefined) socket.once('connect', call.onConnect);
  open(socket);
  return socket;
}

function patchTls(settings: Settings): void {
  replace(tls, 'connect', (original) => (args) => {
    const call = findCall(args);
    if (call === undefined || !isOurs(call, settings.registeredHttps, settings.noProxy)) return original(...args);
    return connectTls(original, call, (tunnel, heard) => new TunnelOpening(tunnel, call, { route: settings, heard }));
  });
}

function patchNet(settings: Settings): void {
  const original = net.connect;
  const make = (connect: Connect) => (args: unknown[]) => {
    const call = findCall(args);
    const pair = call === undefined ? '' : `${bare(call.host)}:${call.port}`;
    if (call === undefined || !settings.registeredHttp.has(pair)) return connect(...args);
    if (isExcepted(bare(call.host), call.port, settings.noProxy)) return connect(...args);
    return connectNet(call, (socket) => new TunnelOpening(socket, call, { route: settings }));
  };
  replace(net, 'connect', make);
  net.createConnection = net.connect;
  // The agent keeps the function it found when it was loaded; loading it costs some milliseconds, so only here.
  const http: typeof import('node:http') = require('node:http');
  const agent: { createConnection?: unknown } = http.Agent.prototype;
  if (agent.createConnection === original) agent.createConnection = net.connect;
}

/**
 * Node reads `NODE_EXTRA_CA_CERTS` when the process starts, so a Worker does not get it from its own variables
 * (measured, Node 20.20). Added to the roots of every context that is not given others; costs half a millisecond.
 */
function patchContexts(root: string): void {
  const { isMainThread }: typeof import('node:worker_threads') = require('node:worker_threads');
  if (isMainThread) return;
  const descriptor = Object.getOwnPropertyDescriptor(tls, 'createSecureContext');
  const original = tls.createSecureContext;
  const value = function createSecureContext(options?: tls.SecureContextOptions): tls.SecureContext {
    const made = original(options);
    const { context } = made as { context?: { addCACert?(pem: string): void } };
    if (!options?.ca) context?.addCACert?.(root);
    return made;
  };
  Object.defineProperty(tls, 'createSecureContext', { ...descriptor, value });
}

function isOurs(call: Call, registered: ReadonlySet<string>, noProxy: readonly string[]): boolean {
  const host = bare(call.host);
  if (isLoopback(host) && !registered.has(`${host}:${call.port}`)) return false;
  return !isExcepted(host, call.port, noProxy);
}

/** Puts a function in another's place under its name, arity and property attributes. */
function replace(holder: object, name: string, make: (original: Connect) => (args: unknown[]) => net.Socket): void {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name);
  const original = descriptor?.value as Connect;
  const inner = make(original);
  const value = function (this: unknown, ...args: unknown[]): net.Socket {
    return inner(args);
  };
  for (const key of ['name', 'length'] as const)
    Object.defineProperty(value, key, { value: original[key], configurable: true });
  Object.defineProperty(holder, name, { ...descriptor, value });
}

function install(): void {
  if (Reflect.has(tls, marker)) return;
  const settings = readSettings();
  if (settings === undefined) return;
  Object.defineProperty(tls, marker, { value: true });
  patchTls(settings);
  if (settings.workerRoot !== undefined) patchContexts(settings.workerRoot);
  if (settings.registeredHttp.size > 0) patchNet(settings);
  nodeModule.syncBuiltinESMExports();
}

try {
  install();
} catch {
  // A variable we cannot read, or a Node we do not know: the program runs as if the hook were not there.
}

export = { bare, connectNet, connectTls, findCall, TunnelOpening };

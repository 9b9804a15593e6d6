import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { requestHeader } from '../../core/in-process.js';
import type { ScopedSession } from '../../core/scope.js';
import hook from '../node-hook.cjs';
import { type Patch, patchMethod } from '../patch.js';
import { findCurrentSession } from '../scope.js';
import { makeConnectHeaders, readConnectStep, readUpstreamError } from './connect-wire.js';
import { findMark, type OpeningRequest, requestMark, sessionMark } from './marks.js';
import { goOwnWay, type OwnWay } from './own-way.js';
import { findPin, readAlpn, requireDoorContext } from './trust.js';

type Connect = (...args: unknown[]) => net.Socket;
type Call = NonNullable<ReturnType<typeof hook.findCall>>;

/** Below what the door's server takes of headers in all (256 KiB, proxy/mitm.ts). */
const maxHeaderLength = 250_000;

const ownSockets = new WeakMap<object, string>();

/** The session whose tunnel a socket goes through; `undefined` for one that goes its own way. */
export function findSessionIdOf(socket: object): string | undefined {
  return ownSockets.get(socket);
}

/**
 * Sends the connections a scope opens to providers through its session's door: TLS of every client that calls
 * `tls.connect`, and plain HTTP to registered models. Others pass untouched, in a scope as outside.
 */
export function patchConnecting(): Patch[] {
  return [
    patchMethod<Connect>(tls, 'connect', makeTlsConnect),
    patchMethod<Connect>(net, 'connect', makeNetConnect),
    patchMethod<Connect>(net, 'createConnection', makeNetConnect),
    // The agent keeps the function it found when it was loaded (lib/_http_agent.js, measured, Node 20.20).
    patchMethod<Connect>(http.Agent.prototype, 'createConnection', makeNetConnect),
  ];
}

/** Whose connection this is: as marked, else of the moment. */
function findSession(args: readonly unknown[]): ScopedSession | undefined {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue;
    const mark = findMark(arg);
    if (mark !== undefined) return mark?.isOpen === true ? mark : undefined;
  }
  return findCurrentSession();
}

function makeTlsConnect(original: Connect): Connect {
  return function (this: unknown, ...args) {
    return connectTls((...given) => Reflect.apply(original, this, given), args);
  };
}

function connectTls(connect: Connect, args: unknown[]): net.Socket {
  const session = findSession(args);
  if (session === undefined) return connect(...args);
  const call = hook.findCall(args);
  if (call === undefined) return connectOtherWay(connect, session, args);
  const { options, host, port } = call;
  if (!session.isProvider('https', hook.bare(host), port)) return connect(...args);
  const pin = findPin(options);
  const to = { session, scheme: 'https', host, port } as const;
  if (pin !== undefined) {
    const so = ', so it went to the provider directly and was not seen';
    const hint = 'Leave the check to Node inside a scope.';
    return goOwnWay({ ...to, how: `with ${pin}`, so, hint }, () => connect(...args));
  }
  const headers = makeConnectHeaders(options, host, findRequest(options));
  const excess = findExcess(headers);
  if (excess !== undefined) return goOwnWay({ ...to, ...excess }, () => connect(...args));
  // Noted now: the tunnel is begun in a later turn, when its scope may have ended.
  const settled = session.noteOpening();
  const open = (tunnel: net.Socket, heard: net.Socket): void =>
    openTunnel(tunnel.once('connect', settled), { call, session, headers, heard });
  const offered = readAlpn(options.ALPNProtocols) ?? [];
  // Clients of other protocols are relayed without decryption: their own roots decide.
  const isBlind = offered.length > 0 && !offered.some((name) => name === 'http/1.1' || name === 'h2');
  const trusted = isBlind ? options : makeDoorOptions(options, session);
  const socket = hook.connectTls(connect, { ...call, options: { ...trusted, [sessionMark]: null } }, open);
  socket.once('close', settled);
  if (!isBlind) keepTicketsHere(socket);
  ownSockets.set(socket, session.session.sessionId);
  return socket;
}

/** What makes a CONNECT longer than the door takes it; `undefined` where nothing does. */
function findExcess(headers: readonly string[]): Pick<OwnWay, 'how' | 'so' | 'hint'> | undefined {
  const length = headers.join('').length;
  if (length <= maxHeaderLength) return undefined;
  const urlLength = headers.find((line) => line.startsWith(`${requestHeader}:`))?.length ?? 0;
  const [what, hint] =
    urlLength > length / 2
      ? ['a request whose URL is too long', 'Send in the body what makes the URL so long.']
      : ['too many certificates and keys', 'Name the certificates the provider needs alone.'];
  const how = `with ${what} for the door to take (${length} bytes)`;
  return { how, so: ', and was not seen, nor what else is asked on it', hint };
}

/** Tickets of the provider mean nothing to the door. */
function makeDoorOptions(options: Call['options'], session: ScopedSession): Call['options'] {
  return { ...options, session: undefined, secureContext: requireDoorContext(session.caPem) };
}

/** Nor the door's to the provider: callers keep tickets by host name, for connections outside the scope too. */
function keepTicketsHere(socket: net.Socket): void {
  const emit: (...args: never[]) => unknown = socket.emit.bind(socket);
  Object.defineProperty(socket, 'emit', {
    value: (...args: unknown[]) => args[0] !== 'session' && Reflect.apply(emit, socket, args),
    writable: true,
    configurable: true,
  });
}

/** TLS over a socket of the program's own leaves by a proxy of the program's own; a buffer of his takes every byte. */
function connectOtherWay(connect: Connect, session: ScopedSession, args: unknown[]): net.Socket {
  const [first, second] = args;
  const objects = args.filter((arg) => typeof arg === 'object' && arg !== null);
  const options: Readonly<Record<string, unknown>> = Object.assign({ port: first, host: second }, ...objects);
  const name = [options.servername, options.host].find((value) => typeof value === 'string' && value !== '');
  const port = readPort(options.port);
  // A proxy agent that was given the session's own door.
  if (options.socket instanceof net.Socket && options.socket.remotePort === session.door.port) return connect(...args);
  const isOwn = Boolean(options.socket) || Boolean(options.onread);
  if (!isOwn || typeof name !== 'string' || !session.isProvider('https', hook.bare(name), port)) {
    return connect(...args);
  }
  const how = options.socket ? "over a socket of the program's own, as proxy agents do," : 'with the option onread';
  const hint = options.socket ? 'Name the proxy in HTTPS_PROXY instead: providers are reached through it.' : null;
  const way = { session, scheme: 'https', host: name, port, how, so: ' and was not seen', hint } as const;
  return goOwnWay(way, () => connect(...args));
}

/** Who wraps a socket often leaves the port out. */
function readPort(port: unknown): number {
  return typeof port === 'number' || typeof port === 'string' ? Number(port) : 443;
}

function makeNetConnect(original: Connect): Connect {
  return function (this: unknown, ...args) {
    // The agent's own, from Node 22.21 on, reads its proxy from `this` (measured, Node 22.23 and 24.21).
    const connect = (): net.Socket => Reflect.apply(original, this, args);
    const session = findSession(args);
    if (session === undefined) return connect();
    const call = hook.findCall(args);
    if (call === undefined || !session.isProvider('http', hook.bare(call.host), call.port)) return connect();
    const headers = makeConnectHeaders({}, call.host, findRequest(call.options));
    const excess = findExcess(headers);
    if (excess !== undefined) return goOwnWay({ session, scheme: 'http', ...call, ...excess }, connect);
    const settled = session.noteOpening();
    const socket = hook.connectNet(call, (opening) => openTunnel(opening, { call, session, headers }));
    socket.once('connect', settled).once('close', settled);
    ownSockets.set(socket, session.session.sessionId);
    return socket;
  };
}

let openingFor: OpeningRequest | undefined;

/** Names the request a connection is opened for, where its client builds the connection's options itself. */
export function runForRequest<T>(request: OpeningRequest | undefined, work: () => T): T {
  const before = openingFor;
  openingFor = request;
  try {
    return work();
  } finally {
    openingFor = before;
  }
}

function findRequest(options: object): OpeningRequest | undefined {
  return (Reflect.get(options, requestMark) as OpeningRequest | undefined) ?? openingFor;
}

interface Opening {
  readonly call: Call;
  readonly session: ScopedSession;
  /** Lines of the CONNECT. */
  readonly headers: readonly string[];
  /** Where its caller listens, unless at the tunnel. */
  readonly heard?: net.Socket;
}

function openTunnel(tunnel: net.Socket, { call, session, headers, heard = tunnel }: Opening): void {
  const waiting = session.whenServing();
  const open = (): void => {
    const { host, port, authorization } = session.door;
    const route = {
      ...{ proxyHost: host, proxyPort: port, authorization, headerLines: headers },
      ...{ makeError: readUpstreamError, readStep: (reply: string) => readConnectStep(reply, call.host) },
    };
    new hook.TunnelOpening(tunnel, call, { route, heard });
  };
  if (waiting === undefined) {
    open();
    return;
  }
  // As a socket that waits for a name to be resolved: what is written meanwhile is kept.
  Object.defineProperty(tunnel, 'connecting', { value: true, writable: true, configurable: true, enumerable: true });
  const settle = (): void => {
    if (tunnel.destroyed) return;
    if (session.isOpen) open();
    else tunnel.destroy(makeLostError(call));
  };
  waiting.then(settle, settle);
}

/**
 * The host will not serve again. What was to go through it fails as a cut connection does, so that the client tries
 * again, and then goes directly: this socket is already set to trust the door and nobody else.
 */
function makeLostError({ host, port }: Call): Error {
  const facts = { code: 'ECONNRESET', syscall: 'connect', host, port };
  return Object.assign(new Error('llmtap: the session ended while the connection waited for it'), facts);
}

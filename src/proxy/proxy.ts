// Longer than 250 lines: every way in which a connection comes, and where it is led.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext, TLSSocket } from 'node:tls';
import { type ErrorCode, readErrorMessage } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type { SessionTally } from '../core/session-tally.js';
import type { SocketMatch, SocketWatch } from '../core/socket.js';
import type { RequestHead } from '../core/wire.js';
import { handleConnect, type Served } from './connect.js';
import type { Connector } from './connector.js';
import { Door } from './door.js';
import { DoorFaults } from './door-faults.js';
import { type Engine, type EngineHandlers, loadEngine } from './engine.js';
import { Http1Client } from './http1-client.js';
import { isHttp2 } from './http2-server.js';
import { KeptTunnels } from './kept-tunnels.js';
import { type CallMaker, relayRequest } from './relay-request.js';
import { relayStreams } from './relay-streams.js';
import { makeRequestHead, readTarget } from './request-target.js';
import { formatSealed, formatUnanswered } from './sealed.js';
import { SocketRegister } from './socket-register.js';
import { formatWithoutUpgrade, relayUpgrade } from './upgrade.js';

export interface ProxyPorts extends CallMaker {
  readonly connector: Connector;
  readonly leafFor: (host: string) => Promise<SecureContext>;
  /** @param socket `onCall` is called for each call that is recorded; `isReplayed` where `answerSocket` gave its far end */
  readonly handleSocket: (
    session: Session,
    head: RequestHead,
    match: SocketMatch,
    socket: { readonly onCall: () => void; readonly isReplayed: boolean },
  ) => SocketWatch;
  /** The far end of a WebSocket in its provider's place; `null` where the provider is to be asked. */
  readonly answerSocket?: (session: Session, head: RequestHead, match: SocketMatch) => Duplex | null;
  /** Loads what calls need besides, while the engine is loaded: nothing is served before. Never rejects. */
  readonly prepare?: () => Promise<void>;
  readonly onFault: (session: Session | null, code: ErrorCode, message: string, hint: string | null) => void;
}

export interface DoorRequest {
  readonly session: Session;
  readonly credentials: string | null;
  readonly bindAddress: string;
  readonly port?: number;
  readonly isSealed?: boolean;
  readonly refusesSockets?: boolean;
  readonly mayAnswer?: boolean;
  readonly tally?: SessionTally;
}

const loginWanted =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="llmtap"\r\nContent-Length: 0\r\n\r\n';

/** The proxy of all sessions: one server, one set of upstream connections, and a door a session. */
export class SessionProxy {
  readonly #ports: ProxyPorts;
  #engine: Engine | null = null;
  #loading: Promise<Engine> | null = null;
  readonly #sockets = new SocketRegister();
  readonly #kept = new KeptTunnels();
  readonly #doors = new Set<Door>();
  readonly #faults: DoorFaults;

  constructor(ports: ProxyPorts) {
    this.#ports = ports;
    this.#faults = new DoorFaults(ports.onFault);
  }

  /**
   * Loads what serving needs, which a door does without until somebody comes. The first connection asks for it too,
   * and waits.
   */
  async warm(): Promise<void> {
    await this.#requireEngine();
  }

  /** Opens a session's port. Rejects with `LISTEN_FAILED`. */
  async openDoor(request: DoorRequest): Promise<Door> {
    const door = new Door({
      ...request,
      onConnection: (socket, to) => this.#admit(socket, to, null),
      onSealed: (of, where) => this.#faults.reportSealed(of, where),
    });
    await door.open();
    this.#doors.add(door);
    return door;
  }

  /** Cuts what is under way, or with `drain` waits for it. A call without `drain` ends what an earlier one waits for. */
  async closeDoor(door: Door, { drain = false }: { readonly drain?: boolean } = {}): Promise<void> {
    // A program that has just ended closed its connections first: what they tell is still to be read.
    await new Promise((resolve) => setImmediate(resolve));
    this.#faults.close(door);
    if (drain) await door.drain();
    else await door.close();
    this.#doors.delete(door);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#doors].map((door) => this.closeDoor(door)));
    // One that is being loaded is waited for, so that nothing is left when this returns.
    const engine = this.#loading === null ? null : await this.#loading;
    await engine?.http2Upstream.close();
    await engine?.upstream.close();
    this.#ports.connector.close();
    engine?.mitm.close();
  }

  #requireEngine(): Promise<Engine> {
    this.#loading ??= this.#loadEngine();
    return this.#loading;
  }

  async #loadEngine(): Promise<Engine> {
    const handlers: EngineHandlers = {
      onConnect: (request, socket, head) => this.#onConnect(request, socket, head),
      onRequest: (request, response) => this.#onRequest(request, response),
      onUpgrade: (request, socket, head) => this.#onUpgrade(request, socket, head),
      onProblem: (kind, error) => this.#reportProblem(kind, error),
      onLost: (key) => this.#kept.endIdle(key),
    };
    const [engine] = await Promise.all([loadEngine(handlers, this.#ports.connector), this.#ports.prepare?.()]);
    this.#engine = engine;
    return engine;
  }

  /** Sockets that break are the clients', and who serves them sees their 'close'; what broke in here is ours. */
  #reportProblem(kind: string, error: Error): void {
    if (kind !== 'HANDLER_ERROR') return;
    const message = `A connection was cut by a failure of the tap: ${readErrorMessage(error)}.`;
    this.#ports.onFault(null, 'INTERNAL', message, 'Please report it.');
  }

  #accept(socket: Socket): void {
    const engine = this.#engine;
    if (engine !== null && isHttp2(socket)) return this.#relayStreams(socket, engine);
    if (engine !== null) return engine.mitm.accept(socket);
    this.#requireEngine().then(
      ({ mitm }) => (socket.destroyed ? undefined : mitm.accept(socket)),
      () => socket.destroy(),
    );
  }

  #admit(socket: Socket, door: Door, served: Served | null): void {
    const { destination = null, isInProcess = false } = served ?? {};
    this.#sockets.note(socket, { door, destination, isInProcess });
    if (isInProcess && destination !== null && !isHttp2(socket))
      this.#kept.keep(door.findRoot(socket), door, destination);
    // One connection may carry any number of requests, each listening for its close.
    socket.setMaxListeners(0);
    this.#accept(socket);
  }

  #onConnect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const facts = this.#sockets.find(socket);
    if (facts === undefined || facts.destination !== null) {
      socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    socket.on('error', () => undefined);
    const { door } = facts;
    if (!door.admits(request.headers['proxy-authorization'])) {
      // The connection stays: clients such as git ask first and log in on the second try.
      socket.write(loginWanted);
      if (head.length > 0) socket.unshift(head);
      this.#accept(socket);
      return;
    }
    const { registry, connector, leafFor, handleCall } = this.#ports;
    handleConnect(
      {
        ...{ registry, connector, leafFor, handleCall },
        reach: async (destination, protocol, onStep) => {
          const { upstream, http2Upstream } = await this.#requireEngine();
          await (protocol === 'h2' ? http2Upstream : upstream).reach(destination, onStep);
        },
        onUnreached: (to, message) => this.#faults.reportUnreached(to, message),
        serve: (opened, to, served) => this.#admit(opened, to, served),
        trustWatch: (to) => this.#faults.requireTrustWatch(to),
        onUnserved: (to, host, what) => this.#faults.reportUnserved(to, host, what),
      },
      { request, socket, head },
      door,
    );
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const facts = this.#sockets.find(request.socket);
    const engine = this.#engine;
    if (facts === undefined || engine === null) return void request.socket.destroy();
    const { door, destination, isInProcess } = facts;
    if (destination === null && !door.admits(request.headers['proxy-authorization'])) {
      request.resume();
      response.writeHead(407, ['proxy-authenticate', 'Basic realm="llmtap"', 'content-length', '0']).end();
      return;
    }
    const target = readTarget(request, destination);
    if (target === undefined) {
      request.resume();
      response
        .writeHead(400, ['content-type', 'text/plain'])
        .end('This port is an HTTP proxy: send it CONNECT or absolute URLs.\n');
      return;
    }
    if (destination?.origin.scheme === 'https') this.#faults.requireTrustWatch(door).onServed(destination.serverName);
    response.once('close', door.begin(request.socket));
    relayRequest(this.#ports, {
      ...{ door, target, upstream: engine.upstream },
      client: new Http1Client(request, response, { root: door.findRoot(request.socket), isInProcess }),
    });
  }

  #relayStreams(socket: TLSSocket, { http2Upstream }: Engine): void {
    const facts = this.#sockets.find(socket);
    const { registry, handleCall, handleOther } = this.#ports;
    const onServed = (): void => {
      if (facts?.destination) this.#faults.requireTrustWatch(facts.door).onServed(facts.destination.serverName);
    };
    const onProblem = (error: Error): void => this.#reportProblem('HANDLER_ERROR', error);
    relayStreams(
      { registry, handleCall, ...(handleOther && { handleOther }), upstream: http2Upstream, onServed, onProblem },
      socket,
      facts,
    );
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const facts = this.#sockets.find(socket);
    const target = facts === undefined ? undefined : readTarget(request, facts.destination);
    if (facts === undefined || target === undefined) return void socket.destroy();
    const { door, destination, isInProcess } = facts;
    socket.on('error', () => undefined);
    if (destination === null && !door.admits(request.headers['proxy-authorization'])) {
      socket.end(loginWanted);
      return;
    }
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      // NOTE: node:http has let go of the socket; the same request without its offer goes in again from the front.
      socket.unshift(Buffer.concat([Buffer.from(formatWithoutUpgrade(request), 'latin1'), head]));
      this.#accept(socket);
      return;
    }
    if (destination?.origin.scheme === 'https') this.#faults.requireTrustWatch(door).onServed(destination.serverName);
    const asked = makeRequestHead(request, target);
    const match = this.#ports.registry.recogniseSocket(asked);
    const answered = match === undefined ? null : (this.#ports.answerSocket?.(door.session, asked, match) ?? null);
    const { origin } = target.destination;
    if (answered === null && door.refusesSockets) {
      socket.end(door.isSealed ? formatSealed(match === undefined ? door : null, origin) : formatUnanswered(origin));
      return;
    }
    const end = door.begin(socket);
    socket.once('close', end);
    void relayUpgrade({
      request,
      client: socket,
      head,
      path: target.path,
      destination: target.destination,
      connector: this.#ports.connector,
      door,
      isInProcess,
      watch: match === undefined ? null : this.#watchSocket(door, asked, { match, isReplayed: answered !== null }),
      ...(answered !== null && { far: answered }),
      takeSpare: () => this.#engine?.upstream.takeSpare(target.destination),
      onRefused: () => {
        end();
        this.#accept(socket);
      },
    });
  }

  #watchSocket(
    door: Door,
    head: RequestHead,
    { match, isReplayed }: { readonly match: SocketMatch; readonly isReplayed: boolean },
  ): SocketWatch {
    return this.#ports.handleSocket(door.session, head, match, { onCall: () => door.count('calls'), isReplayed });
  }
}

import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { ScopedSession } from '../../core/scope.js';
import type { Origin } from '../../core/wire.js';
import hook from '../node-hook.cjs';
import { type Patch, patchMethod } from '../patch.js';
import { findMark, makeMark, requestMark, runAsMarked, sessionMark } from './marks.js';
import { makeRefusal } from './own-way.js';
import { WeakSetOf } from './weak-set-of.js';

/** What we use of `http.Agent`: lib/_http_agent.js (measured, Node 20.20; the same in 18, 22 and 24). */
interface Agent {
  readonly options: Readonly<Record<string, unknown>>;
  readonly protocol?: string;
  readonly maxTotalSockets: number;
  readonly totalSocketCount: number;
  readonly sockets: Record<string, AgentSocket[] | undefined>;
  readonly freeSockets: Record<string, AgentSocket[] | undefined>;
  getName(options?: object): string;
}

type AgentSocket = Duplex & { _httpMessage?: { shouldKeepAlive: boolean } | null };
/** How an agent tells a request that it has no connection for it. */
interface Unconnected {
  onSocket(socket: null, error: Error): void;
}
type AddRequest = (this: Agent, request: http.ClientRequest, options: unknown, ...legacy: unknown[]) => void;
type CreateSocket = (this: Agent, request: http.ClientRequest, options: object, done: unknown) => void;
type GetName = (this: Agent, options?: object) => string;
type Options = Readonly<Record<string, unknown>>;

const agents = new WeakSetOf<Agent>();
const retired = new WeakSet<AgentSocket>();

/**
 * Keeps the connections of agents apart by session: the name under which an agent keeps sockets and waiting requests
 * tells the session, so a kept-alive connection carries the calls of the scope it was opened in and no others. Calls
 * outside keep the name they had. Reaches every subclass of `http.Agent` that builds its names on the inherited one; calls
 * of others go directly.
 */
export function patchAgents(): Patch[] {
  const prototype = http.Agent.prototype;
  return [
    patchMethod<AddRequest>(prototype, 'addRequest', (original) => {
      return function (this: Agent, request, options, ...legacy) {
        const marked = markRequest(this, request, options, legacy);
        if (marked !== null) Reflect.apply(original, this, marked);
      };
    }),
    patchMethod<CreateSocket>(prototype, 'createSocket', (original) => {
      return function (this: Agent, request, options, done) {
        const mark = findMark(options);
        const create = (given: object): void => Reflect.apply(original, this, [request, given, done]);
        if (mark === undefined) return create(options);
        const { method, path } = request;
        const marked = mark === null ? options : { ...options, [requestMark]: { method, path } };
        runAsMarked(mark, findDestination(this, request, options), () => create(marked));
      };
    }),
    patchMethod<GetName>(prototype, 'getName', (original) => {
      return function (this: Agent, options = {}) {
        const name = Reflect.apply(original, this, [options]);
        const session = findMark(options);
        return session ? `${name}${makeSuffix(session.session.sessionId)}` : name;
      };
    }),
  ];
}

/** Ends the idle connections of one session in every agent, or of all; those at work end with what they carry. */
export function releaseAgentSockets(sessionId?: string): void {
  const suffix = makeSuffix(sessionId);
  for (const agent of agents) {
    for (const name of Object.keys(agent.sockets).filter((key) => key.includes(suffix))) retireBusy(agent, name);
    for (const name of Object.keys(agent.freeSockets).filter((key) => key.includes(suffix))) {
      for (const socket of [...(agent.freeSockets[name] ?? [])]) socket.destroy();
    }
  }
}

function makeSuffix(sessionId: string | undefined): string {
  return sessionId === undefined ? ':llmtap-session=' : `:llmtap-session=${sessionId}:`;
}

/** NOTE: after our patches are gone the agent would file such a socket under the name that has no session. */
function retireBusy(agent: Agent, name: string): void {
  const sockets = agent.sockets[name] ?? [];
  if (sockets.length === 0) delete agent.sockets[name];
  for (const socket of sockets) {
    if (socket._httpMessage) socket._httpMessage.shouldKeepAlive = false;
    if (retired.has(socket)) continue;
    retired.add(socket);
    socket.once('close', () => {
      const rest = agent.sockets[name]?.filter((other) => other !== socket) ?? [];
      if (rest.length > 0) agent.sockets[name] = rest;
      else delete agent.sockets[name];
    });
  }
}

/**
 * The arguments of `addRequest(request, options)`, also of its older form with host, port and local address; `null` for a
 * request that was refused.
 */
function markRequest(
  agent: Agent,
  request: http.ClientRequest,
  given: unknown,
  legacy: readonly unknown[],
): unknown[] | null {
  const [port, localAddress] = legacy;
  const options = typeof given === 'string' ? { host: given, port, localAddress } : (given as object);
  if (findMark(options) !== undefined) return [request, options];
  const destination = findDestination(agent, request, options);
  const mark = makeMark(destination);
  const marked = { ...options, [sessionMark]: mark };
  if (mark === null || destination === undefined) return [request, marked];
  if (!agent.getName({ ...marked, ...agent.options }).includes(makeSuffix(mark.session.sessionId))) {
    const message = tellOfOwnNames(agent, mark);
    if (mark.isSealed !== true) return [request, { ...options, [sessionMark]: null }];
    // As the agent itself tells a request that its connection failed; any kept one may lead to the provider.
    (request as unknown as Unconnected).onSocket(null, makeRefusal(`llmtap: ${message}`, destination));
    return null;
  }
  agents.add(agent);
  makeRoom(agent, makeSuffix(mark.session.sessionId));
  return [request, marked];
}

/** The names under which the agent keeps its sockets are not built on ours: any call may get any socket. */
function tellOfOwnNames(agent: Agent, session: ScopedSession): string {
  const what = `A call by an agent (${agent.constructor.name}) whose getName() is not built on that of http.Agent`;
  const so =
    session.isSealed === true ? 'was refused: nothing may go out of its session.' : 'went directly and was not seen.';
  const message = `${what} ${so}`;
  session.announceFault('IN_PROCESS_UNSEEN', message, 'Let getName() of the agent call super.getName(options).');
  return message;
}

/** Sockets kept for other sessions must not hold this call up where the agent limits their total. */
function makeRoom(agent: Agent, suffix: string): void {
  if (!(agent.totalSocketCount >= agent.maxTotalSockets)) return;
  const other = Object.keys(agent.freeSockets).find((name) => !name.includes(suffix));
  if (other !== undefined) agent.freeSockets[other]?.[0]?.destroy();
}

/** As the agent itself will see it: its own options go over the request's. */
function findDestination(agent: Agent, request: http.ClientRequest, given: object): Origin | undefined {
  const options: Options = { ...given, ...agent.options };
  const { host = 'localhost', port, socketPath } = options;
  const scheme = (request.protocol ?? agent.protocol) === 'https:' ? 'https' : 'http';
  if (socketPath || typeof host !== 'string') return undefined;
  return { scheme, host: hook.bare(host), port: Number(port || (scheme === 'https' ? 443 : 80)) };
}

import type { Duplex } from 'node:stream';
import { pickPath } from '../cache/key-sources.js';
import { answerRefusal } from '../cache/refusal.js';
import { replayReply } from '../cache/replay.js';
import {
  type CacheAnswer,
  type CachedCall,
  type CacheQuestion,
  type CallCache,
  type ResponseCache,
  refusedChange,
} from '../core/call-cache.js';
import type { CassetteMode, NormaliseRules } from '../core/cassette.js';
import { isGrpc } from '../core/grpc.js';
import type { ReplyHandler } from '../core/reply.js';
import type { Cassette } from './cassette-file.js';
import { findNearest, formatDifference } from './difference.js';
import type { Interaction, RecordedReply, RequestForm, SocketInteraction } from './interaction.js';
import { makeNormalise, type Normalise } from './normalise.js';
import type { ReplayPorts, SocketPorts } from './ports.js';
import { formRequest, nameRequest } from './recorder.js';
import { makeFormKey, makeSocketForm, normaliseForm } from './request-form.js';
import { playSocket } from './socket-player.js';
import type { AskedSocket, CassetteSockets } from './sockets.js';

export interface PlayerPorts extends ReplayPorts, SocketPorts {
  readonly onMiss: (message: string) => void;
}

export interface PlayerOptions {
  readonly mode: Exclude<CassetteMode, 'record'>;
  /** Of the cassette's own rules when absent. */
  readonly normalise?: NormaliseRules | undefined;
  readonly replaySpeed?: number | undefined;
}

/** How long a reply its client left stays open after its last piece, for the client to leave again, milliseconds. */
const leavingMs = 5000;

interface Recorded {
  readonly interaction: Interaction;
  /** As it is compared. */
  readonly form: RequestForm;
}

/** Answers of one request, in the order they were given. */
interface Queue {
  readonly recorded: Recorded[];
  played: number;
}

/** Answers the calls of a session from a cassette, each request with its first answer first. */
export class Player implements Pick<ResponseCache, 'open'>, CassetteSockets {
  readonly #queues = new Map<string, Queue>();
  readonly #sockets = new Map<string, SocketInteraction[]>();
  readonly #all: readonly Recorded[];
  /** Where calls of gRPC were made. */
  readonly #paths = new Set<string>();
  readonly #options: PlayerOptions;
  readonly #ports: PlayerPorts;
  readonly #normalise: Normalise;

  constructor(cassette: Cassette, options: PlayerOptions, ports: PlayerPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#normalise = makeNormalise(options.normalise ?? cassette.head.normalise);
    this.#all = cassette.interactions.map((interaction) => {
      const recorded = { interaction, form: normaliseForm(interaction.request, this.#normalise) };
      const key = makeFormKey(interaction.request, this.#normalise);
      const queue = this.#queues.get(key) ?? { recorded: [], played: 0 };
      if (interaction.request.variant === 'grpc')
        this.#paths.add(interaction.request.origin + interaction.request.path);
      queue.recorded.push(recorded);
      this.#queues.set(key, queue);
      return recorded;
    });
    for (const socket of cassette.sockets) {
      const key = makeFormKey(socket.request, this.#normalise);
      this.#sockets.set(key, [...(this.#sockets.get(key) ?? []), socket]);
    }
  }

  readonly answer = (asked: AskedSocket): Duplex | null => {
    const form = makeSocketForm(asked);
    const recorded = this.#sockets.get(makeFormKey(form, this.#normalise))?.shift();
    if (recorded !== undefined) return playSocket(recorded, asked, { ...this.#ports, normalise: this.#normalise });
    const { host } = asked.head.origin;
    const went = this.#options.mode === 'replay' ? 'Nothing was sent.' : 'It was opened at the provider.';
    const where = `The WebSocket ${host}${asked.head.path.split('?')[0]}`;
    this.#ports.onMiss(`${where} is not in the recording, or not as often. ${went}`);
    return null;
  };

  open(call: CachedCall): CallCache {
    const waitsForRequest = !isGrpc(call.head) || this.#paths.has(makePlace(call));
    const unread = waitsForRequest ? 'its request is too large to be compared' : 'it holds no call of that method';
    return {
      waitsForRequest,
      ask: (question) => this.#answer(call, question),
      refuseUnread: () => this.#miss(call, unread),
      onRefused: () => undefined,
      onNotSent: () => undefined,
      onReplyHead: () => undefined,
      onReplyData: () => undefined,
      takeOver: () => null,
      end: () => undefined,
    };
  }

  async #answer(call: CachedCall, question: CacheQuestion): Promise<CacheAnswer | null> {
    try {
      const form = await formRequest(call, question, this.#ports);
      const queue = this.#queues.get(makeFormKey(form, this.#normalise));
      const next = queue?.recorded[queue.played];
      if (queue === undefined || next === undefined) return this.#miss(call, this.#explainMiss(form, queue));
      queue.played += 1;
      return this.#play(next.interaction, queue.played);
    } catch {
      return this.#miss(call, 'its request cannot be read');
    }
  }

  #play(interaction: Interaction, ordinal: number): CacheAnswer {
    const { reply, callId, latencyMs } = interaction;
    const { replaySpeed = Number.POSITIVE_INFINITY } = this.#options;
    return {
      how: 'hit',
      answer: (handler) => {
        if (reply.ending === 'unreached') failUnreached(reply, handler);
        else playReply(interaction, replaySpeed, handler);
      },
      originalLatencyMs: () => latencyMs,
      change: `reply: from the recording, kept from call ${callId}, answer ${ordinal} to this request`,
    };
  }

  #explainMiss(asked: RequestForm, queue: Queue | undefined): string {
    if (queue !== undefined) {
      return `it is asked once more than recorded (${queue.recorded.length} ${queue.recorded.length === 1 ? 'time' : 'times'})`;
    }
    const found = findNearest(this.#all, normaliseForm(asked, this.#normalise));
    if (found === null) return 'the recording holds no call';
    const { interaction } = found.nearest;
    const told = found.differences.slice(0, 3).map(formatDifference);
    const more = found.differences.length > 3 ? `; ${found.differences.length - 3} more differences` : '';
    return `the nearest recorded call is number ${interaction.seq + 1}, and ${told.join('; ')}${more}`;
  }

  #miss(call: CachedCall, why: string): CacheAnswer | null {
    const { match } = call;
    const { mode } = this.#options;
    const where = nameRequest(call);
    const went = mode === 'replay' ? 'Nothing was sent.' : 'It was sent to the provider.';
    const message = `${where} is not in the recording: ${why}. ${went}`;
    this.#ports.onMiss(message);
    if (mode !== 'replay') return null;
    return {
      how: 'refused',
      answer: (handler) => answerRefusal(match.dialect.api, `llmtap: ${message}`, handler),
      originalLatencyMs: () => null,
      change: `${refusedChange}, for the recording does not have it`,
    };
  }
}

/** Where a call of gRPC is made, as a recording has it. */
function makePlace({ head, redact }: CachedCall): string {
  const { scheme, host, port } = head.origin;
  const path = redact(pickPath(head.path).path, null);
  return `${scheme}://${host}:${port}${typeof path === 'string' ? path : ''}`;
}

function playReply({ reply, request }: Interaction, speed: number, handler: ReplyHandler): void {
  let leaving: NodeJS.Timeout | undefined;
  const cut = (): void => handler.onError(makeError(reply));
  const player: ReplyHandler = {
    onStart: (control) =>
      handler.onStart({
        pause: () => control.pause(),
        resume: () => control.resume(),
        abort: (reason) => {
          clearTimeout(leaving);
          control.abort(reason);
        },
      }),
    onHead: (...head) => handler.onHead(...head),
    onData: (chunk) => handler.onData(chunk),
    onEnd: (trailers) => handler.onEnd(trailers),
    onError: (error) => handler.onError(error),
  };
  const end = (): void => {
    if (reply.ending === 'whole') handler.onEnd([...reply.rawTrailers]);
    else if (reply.ending === 'cut') cut();
    else leaving = setTimeout(cut, leavingMs);
  };
  const { contentLength = null } = reply;
  const isHeadAlone = reply.ending === 'whole' && reply.body.length === 0 && reply.rawTrailers.length === 0;
  const framing = contentLength === null ? [] : ['Content-Length', String(contentLength)];
  replayReply(
    {
      ...reply,
      // A reply that was cut never kept what its length said.
      isStream: reply.isStream || reply.ending !== 'whole',
      isHeadAlone,
      ...(request.method === 'HEAD' && { framing }),
      end,
    },
    speed,
    player,
  );
}

function failUnreached(reply: RecordedReply, handler: ReplyHandler): void {
  let isOver = false;
  const ignore = (): void => undefined;
  const abort = (): void => {
    isOver = true;
  };
  handler.onStart({ pause: ignore, resume: ignore, abort });
  if (!isOver) handler.onError(makeError(reply));
}

/** The error as the system told it, so that the client meets what it met. */
function makeError({ problem }: RecordedReply): Error {
  const message = problem?.message ?? 'the recorded reply ended here';
  const code = /\((E[A-Z_]+|UND_ERR_[A-Z_]+)\)|\b(E[A-Z]{4,})\b/.exec(message);
  const said = message.replace(/^[^:]*: /, '').replace(/\.$/, '');
  return Object.assign(new Error(said), { code: code?.[1] ?? code?.[2] ?? 'ECONNRESET' });
}

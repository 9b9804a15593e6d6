import type {
  SocketAsk,
  SocketCalls,
  SocketDialect,
  SocketMessage,
  SocketReader,
  SocketSaying,
} from '../core/socket.js';
import type { RequestFacts } from '../core/wire.js';
import { findObject, findText, type JsonObject } from './json-fields.js';
import { openaiResponses, RESPONSES_LANGUAGE } from './openai-responses.js';
import { NOTHING_LEFT } from './refusal.js';
import type { ReplyLanguage } from './reply-language.js';
import { peekType, readMessage } from './socket-document.js';
import { SocketTurn } from './socket-turn.js';
import { replaceMember } from './wire/json-members.js';
import { readWireSession } from './wire-session.js';

const LAST_EVENTS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'error',
]);
/** More than any client has under way on one socket; those beyond it leave no record. */
const MAX_TURNS = 1000;
/** Of an id that a refusal repeats. */
const MAX_ID_CHARS = 512;
/** Ids of responses that ended, of which more may come: an error is followed by the failed response. */
const MAX_ENDED = 16;

/** An error is the last word on its request, with a response or without. */
const SOCKET_LANGUAGE: ReplyLanguage = {
  ...RESPONSES_LANGUAGE,
  readDocument(document, notes): void {
    RESPONSES_LANGUAGE.readDocument(document, notes);
    if (document.type === 'error') notes.noteEnd();
  },
};

/** A request whose reply has not ended; one that only warms up is no call, but has a reply of its own. */
interface Asked {
  readonly turn: SocketTurn | null;
  id: string | null;
  /** Says that it is refused: a lane's answers come in its order. */
  readonly sayRefused?: () => void;
}

/**
 * The Responses API over a WebSocket, which Codex prefers: the client sends `{ type: "response.create", … }` with the
 * body of an HTTP request, the server the events of its stream, any number of times on one socket.
 *
 * `generate: false` prepares a request and gives out an id without asking the model: no call. Requests of one `stream_id`
 * (without one, all of them) are answered in their order, and each event names its `stream_id`; several run side by side.
 * A request that is refused is answered by `{ type: "error", status, error }`, which Codex takes as the same status over HTTP. Sources, read 2026-11-27:
 * https://developers.openai.com/api/docs/guides/websocket-mode, https://docs.x.ai/developers/advanced-api-usage/websocket-mode,
 * `ResponsesClientEvent` of the npm package `openai` 6.49, https://github.com/openai/openai-node/pull/2314 (`stream_id`),
 * `codex-rs/codex-api/src/endpoint/responses_websocket.rs` of https://github.com/openai/codex; `generate: false` and what it
 * answers: https://github.com/router-for-me/CLIProxyAPI/issues/6006. Tried with Codex 0.169.
 */
export const openaiResponsesSocket: SocketDialect = {
  api: 'responses',
  open: ({ path }, calls) => new ResponsesSocket(path, calls),
};

class ResponsesSocket implements SocketReader {
  readonly #path: string;
  readonly #calls: SocketCalls;
  readonly #lanes = new Map<string, Asked[]>();
  readonly #ended: string[] = [];
  #underWay = 0;

  constructor(path: string, calls: SocketCalls) {
    this.#path = path;
    this.#calls = calls;
  }

  findAsk({ bytes }: SocketMessage): SocketAsk | null {
    const document = readMessage(bytes);
    if (document === undefined || document.type !== 'response.create') return null;
    const model = findText(document, 'model') ?? null;
    return {
      call: document.generate === false ? null : this.#readFacts(document),
      model,
      isKept: true,
      ...(model !== null && { withModel: (name: string) => replaceMember(bytes, 'model', name) }),
    };
  }

  refuse({ bytes }: SocketMessage, why: string, say: (saying: SocketSaying) => void): void {
    const document = readMessage(bytes) ?? {};
    const given = findText(document, 'stream_id');
    const stream_id = given === undefined || given.length > MAX_ID_CHARS ? undefined : given;
    const error = { ...NOTHING_LEFT, message: why, param: null };
    const text = JSON.stringify({ type: 'error', status: 429, error, ...(stream_id !== undefined && { stream_id }) });
    const lane = this.#requireLane(document);
    // As many wait for their turn as are followed; those beyond are told at once.
    if (lane.length === 0 || this.#underWay >= MAX_TURNS) return say({ text });
    this.#underWay++;
    lane.push({ turn: null, id: null, sayRefused: () => say({ text }) });
  }

  readClient(message: SocketMessage): void {
    const document = readMessage(message.bytes);
    if (document === undefined) return;
    const lane = this.#requireLane(document);
    if (document.type !== 'response.create') {
      lane[0]?.turn?.call.addRequest(message, false);
      return;
    }
    if (this.#underWay >= MAX_TURNS) return;
    this.#underWay++;
    const turn = document.generate === false ? null : this.#open(message, document);
    lane.push({ turn, id: null });
    this.#lanes.set(readLane(document), lane);
  }

  readServer(message: SocketMessage): void {
    if (this.#underWay === 1 && peekType(message.bytes)?.endsWith('.delta') === true) {
      for (const [asked] of this.#lanes.values()) asked?.turn?.pass(message);
      return;
    }
    const document = readMessage(message.bytes);
    const type = findText(document, 'type');
    if (document === undefined || type === undefined || !(type === 'error' || type.startsWith('response.'))) return;
    const asked = this.#findAsked(document);
    if (asked === undefined) return;
    asked.turn?.read(message, document);
    if (LAST_EVENTS.has(type)) this.#end(document, message);
  }

  close(): void {
    for (const lane of this.#lanes.values()) for (const { turn } of lane) turn?.end(null);
    this.#lanes.clear();
  }

  #open(message: SocketMessage, document: JsonObject): SocketTurn {
    const call = this.#calls.open(message.atMs);
    call.addRequest(message, true);
    return new SocketTurn(call, SOCKET_LANGUAGE, this.#readFacts(document));
  }

  #readFacts(document: JsonObject): RequestFacts {
    const facts = openaiResponses.readRequest(document, this.#path);
    const wireSession = readWireSession(listMetadata(document), facts.wireSession);
    return { ...facts, wireSession, stream: true };
  }

  #requireLane(document: JsonObject): Asked[] {
    return this.#lanes.get(readLane(document)) ?? [];
  }

  /** Whose event it is: the first of its lane, unless it names another response. */
  #findAsked(document: JsonObject): Asked | undefined {
    const id = findText(document, 'response', 'id') ?? null;
    if (id !== null && this.#ended.includes(id)) return undefined;
    const lane = this.#requireLane(document);
    // The end of the first was in a message that could not be read.
    if (id !== null && typeof lane[0]?.id === 'string' && lane[0].id !== id) this.#end(document, null);
    const [asked] = lane;
    if (asked !== undefined) asked.id ??= id;
    return asked;
  }

  #end(document: JsonObject, last: SocketMessage | null): void {
    const lane = this.#requireLane(document);
    const asked = lane.shift();
    if (lane.length === 0) this.#lanes.delete(readLane(document));
    if (asked === undefined) return;
    this.#underWay--;
    if (asked.id !== null) this.#ended.push(asked.id);
    if (this.#ended.length > MAX_ENDED) this.#ended.shift();
    asked.turn?.end(last);
    this.#sayRefused(document, lane);
  }

  /** Those that come next and were refused. */
  #sayRefused(document: JsonObject, lane: Asked[]): void {
    for (let [next] = lane; next?.sayRefused !== undefined; [next] = lane) {
      lane.shift();
      this.#underWay--;
      next.sayRefused();
    }
    if (lane.length === 0) this.#lanes.delete(readLane(document));
  }
}

function readLane(document: JsonObject): string {
  return findText(document, 'stream_id') ?? '';
}

/** What Codex says in headers over HTTP it says of each request of a socket in `client_metadata` (0.169, seen 2026-11-27). */
function listMetadata(document: JsonObject): string[] {
  const metadata = Object.entries(findObject(document, 'client_metadata') ?? {});
  return metadata.flatMap(([name, value]) => (typeof value === 'string' ? [name, value] : []));
}

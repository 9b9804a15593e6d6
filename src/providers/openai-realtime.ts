import type { JsonValue } from '../core/call-record.js';
import type {
  SocketAsk,
  SocketCalls,
  SocketDialect,
  SocketMessage,
  SocketReader,
  SocketSaying,
} from '../core/socket.js';
import type { RequestFacts } from '../core/wire.js';
import { findItems, findObject, findText, type JsonObject } from './json-fields.js';
import { isOfTranscripts, RealtimeTranscripts } from './openai-realtime-transcripts.js';
import { listOpenaiSources, listUsageNames, makeOpenaiUsage } from './openai-usage.js';
import { NOTHING_LEFT } from './refusal.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { peekType, readMessage } from './socket-document.js';
import { SocketTurn } from './socket-turn.js';
import { type DetailNames, listDetailNames } from './usage-details.js';

/** `input_tokens` includes the cache. Source: `RealtimeResponseUsage` of the npm package `openai` 6.49 (read 2026-11-27). */
const REALTIME_USAGE = {
  input: 'input_tokens',
  output: 'output_tokens',
  total: 'total_tokens',
  cacheRead: ['input_token_details.cached_tokens'],
  cacheWrite: [],
  reasoning: ['output_token_details.reasoning_tokens'],
} as const;

const REALTIME_DETAILS: DetailNames = {
  inputTextTokens: ['input_token_details.text_tokens'],
  inputAudioTokens: ['input_token_details.audio_tokens'],
  inputImageTokens: ['input_token_details.image_tokens'],
  cacheReadTextTokens: ['input_token_details.cached_tokens_details.text_tokens'],
  cacheReadAudioTokens: ['input_token_details.cached_tokens_details.audio_tokens'],
  cacheReadImageTokens: ['input_token_details.cached_tokens_details.image_tokens'],
  outputTextTokens: ['output_token_details.text_tokens'],
  outputAudioTokens: ['output_token_details.audio_tokens'],
};

const USAGE_NAMES = [...listUsageNames(REALTIME_USAGE), ...listDetailNames(REALTIME_DETAILS)];
const CALL = '_call';
const MEDIA = 'input_audio_buffer.append';
/** The second name is the beta's, of sessions that only transcribe. */
const SESSION_EVENT = /^(?:session|transcription_session)\.(?:created|updated)$/;
const MAX_MODEL_CHARS = 256;
/** More than any client has under way on one socket; those beyond it leave no record. */
const MAX_TURNS = 1000;
/** Of an id that a refusal repeats. */
const MAX_ID_CHARS = 512;

const REALTIME_LANGUAGE: ReplyLanguage = {
  lookedFor: 'response.usage.input_tokens and response.usage.output_tokens of response.done',
  streamHint: null,
  noOutput: null,
  readDocument(document, notes): void {
    const type = findText(document, 'type') ?? '';
    if (type.endsWith('.delta')) notes.noteOutput();
    if (type === 'response.output_item.added' || type === 'response.output_item.done')
      readItem(document.item, typeof document.output_index === 'number' ? document.output_index : 0, notes);
    const response = findObject(document, 'response');
    if (response !== undefined) readResponse(response, notes);
    if (type === 'response.done' || type === 'error') notes.noteEnd();
  },
  listSources: () => listOpenaiSources(REALTIME_USAGE),
  makeUsage: (counts) => makeOpenaiUsage(counts, REALTIME_USAGE),
  details: REALTIME_DETAILS,
};

/**
 * OpenAI's Realtime API over a WebSocket, and Azure's: one call a response, from `response.create` to `response.done`,
 * which has the usage. Where the server begins a response of its own accord (voice activity detection) the call begins
 * with its `response.created`. Several responses may be under way; events name theirs by `response_id`, or `response.id`.
 *
 * The model is the URL's (`model`, Azure's `deployment`) or that of `session.created` and `session.updated`. A response that
 * cannot begin is an `error`, which names the client's event where that had an `event_id`. Transcripts of what the user says
 * are calls of their own (`openai-realtime-transcripts.ts`). Sources, read 2026-11-27: https://platform.openai.com/docs/api-reference/realtime
 * as types of the npm package `openai` 6.49 (`resources/realtime/realtime.d.ts`, URL in `realtime/internal-base.js`).
 */
export const openaiRealtime: SocketDialect = {
  api: 'realtime',
  open: ({ path }, calls) => new RealtimeSocket(path, calls),
  findModel,
  withModel: putModel,
};

/** Asked for, and not begun. */
interface Asked {
  readonly turn: SocketTurn;
  readonly eventId: string | null;
}

class RealtimeSocket implements SocketReader {
  readonly #calls: SocketCalls;
  #model: string | null;
  readonly #asked: Asked[] = [];
  readonly #begun = new Map<string, SocketTurn>();
  readonly #transcripts: RealtimeTranscripts;
  /** Whether the client's last word, media aside, asked for a response. */
  #hasJustAsked = false;
  /** Responses the tap has refused. */
  #refused = 0;

  constructor(path: string, calls: SocketCalls) {
    this.#calls = calls;
    this.#transcripts = new RealtimeTranscripts(calls);
    this.#model = findModel(path);
  }

  findAsk({ bytes }: SocketMessage): SocketAsk | null {
    const type = peekType(bytes) ?? findText(readMessage(bytes), 'type');
    return type === 'response.create' ? { call: this.#facts, model: this.#model, isKept: true } : null;
  }

  refuse({ bytes }: SocketMessage, why: string, say: (saying: SocketSaying) => void): void {
    const given = findText(readMessage(bytes), 'event_id');
    const eventId = given === undefined || given.length > MAX_ID_CHARS ? null : given;
    const error = { ...NOTHING_LEFT, message: why, param: null, event_id: eventId };
    say({ text: JSON.stringify({ type: 'error', event_id: `event_llmtap_${++this.#refused}`, error }) });
  }

  readClient(message: SocketMessage): void {
    if (peekType(message.bytes) === MEDIA) return this.#calls.collect(message, false);
    const document = readMessage(message.bytes);
    const type = findText(document, 'type');
    if (document === undefined || type === undefined) return;
    if (type === MEDIA) return this.#calls.collect(message, false);
    this.#hasJustAsked = type === 'response.create';
    if (type === 'conversation.item.create') this.#calls.collect(message, true);
    if (type !== 'response.create' || this.#asked.length + this.#begun.size >= MAX_TURNS) return;
    const turn = this.#open(message.atMs);
    turn.call.addRequest(message, true);
    this.#asked.push({ turn, eventId: findText(document, 'event_id') ?? null });
  }

  readServer(message: SocketMessage): void {
    const peeked = peekType(message.bytes);
    // Of what the user says there are deltas, too.
    if (this.#begun.size === 1 && peeked?.startsWith('response.') === true && peeked.endsWith('.delta')) {
      for (const turn of this.#begun.values()) turn.pass(message, !isSound(peeked));
      return;
    }
    const document = readMessage(message.bytes);
    const type = findText(document, 'type');
    if (document === undefined || type === undefined) return;
    if (SESSION_EVENT.test(type)) return this.#noteSession(document, type.startsWith('transcription'));
    if (isOfTranscripts(type)) return this.#transcripts.read(type, document, message);
    if (type === 'error') return this.#endRefused(document, message);
    if (type.startsWith('response.')) this.#readResponse(type, document, message);
  }

  close(): void {
    for (const { turn } of this.#asked.splice(0)) turn.end(null);
    for (const turn of this.#begun.values()) turn.end(null);
    this.#begun.clear();
    this.#transcripts.close();
  }

  #readResponse(type: string, document: JsonObject, message: SocketMessage): void {
    const id = findText(document, 'response_id') ?? findText(document, 'response', 'id');
    if (id === undefined) return;
    const turn = type === 'response.created' ? this.#begin(id, message.atMs) : this.#begun.get(id);
    if (turn === undefined) return;
    turn.read(message, document, !isSound(type));
    if (type !== 'response.done') return;
    this.#begun.delete(id);
    turn.end(message);
  }

  #begin(id: string, atMs: number): SocketTurn {
    const turn = this.#begun.get(id) ?? this.#asked.shift()?.turn ?? this.#open(atMs);
    this.#begun.set(id, turn);
    return turn;
  }

  #open(atMs: number): SocketTurn {
    return new SocketTurn(this.#calls.open(atMs), REALTIME_LANGUAGE, this.#facts);
  }

  get #facts(): RequestFacts {
    return { model: this.#model, stream: true, wireSession: null };
  }

  #noteSession(document: JsonObject, isTranscription: boolean): void {
    const session = findObject(document, 'session');
    if (session !== undefined) this.#transcripts.noteSession(session, isTranscription);
    const model = findText(document, 'session', 'model')?.slice(0, MAX_MODEL_CHARS);
    if (model === undefined) return;
    this.#model = model;
    // Asked before the session had said whose it is.
    for (const { turn } of this.#asked) turn.request = { ...turn.request, model: turn.request.model ?? model };
  }

  /** An error ends what it names, or, naming nothing, what the client has just asked for. */
  #endRefused(document: JsonObject, message: SocketMessage): void {
    const eventId = findText(document, 'error', 'event_id');
    const last = this.#hasJustAsked ? this.#asked.length - 1 : -1;
    const at = eventId === undefined ? last : this.#asked.findIndex((asked) => asked.eventId === eventId);
    const [asked] = at === -1 ? [] : this.#asked.splice(at, 1);
    asked?.turn.read(message, document);
    asked?.turn.end(message);
  }
}

function findModel(path: string): string | null {
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  return (query.get('model') ?? query.get('deployment'))?.slice(0, MAX_MODEL_CHARS) || null;
}

/** The path with another model in place of the one it names, and nothing else of it touched. */
function putModel(path: string, model: string): string | undefined {
  if (findModel(path) === null || /\p{Cc}/u.test(model)) return undefined;
  const name = new URLSearchParams(path.split('?')[1]).has('model') ? 'model' : 'deployment';
  return path.replace(new RegExp(`([?&]${name}=)[^&#]*`), (_, before: string) => before + encodeURIComponent(model));
}

/** `response.output_audio.delta`, in the beta `response.audio.delta`: sound in base64. */
function isSound(type: string): boolean {
  return type.endsWith('audio.delta');
}

function readResponse(response: JsonObject, notes: ReplyNotes): void {
  notes.noteResponseId(response.id);
  notes.noteUsage(response.usage, USAGE_NAMES);
  const details = findObject(response, 'status_details');
  const error = findObject(details, 'error');
  if (error !== undefined) {
    const code = findText(error, 'code') ?? findText(error, 'type') ?? 'error';
    notes.error ??= { code, message: findText(error, 'message') ?? `The response has the status ${code}.` };
  }
  const status = findText(response, 'status');
  if (status !== undefined && status !== 'in_progress') notes.noteFinish(0, findText(details, 'reason') ?? status);
  for (const [index, item] of findItems(response, 'output').entries()) readItem(item, index, notes);
}

/** Noted by its place, so that the whole response at the end adds nothing to the events of its items. */
function readItem(item: JsonValue | undefined, index: number, notes: ReplyNotes): void {
  const type = findText(item, 'type');
  if (type?.endsWith(CALL) !== true) return;
  notes.noteToolCall({ choice: index, key: 'item' }, findText(item, 'name') ?? type.slice(0, -CALL.length));
}

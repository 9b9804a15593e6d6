import type { SocketCalls, SocketMessage } from '../core/socket.js';
import { findObject, findText, type JsonObject } from './json-fields.js';
import { TRANSCRIPT_LANGUAGE } from './openai-audio.js';
import type { ReplyLanguage } from './reply-language.js';
import { SocketTurn } from './socket-turn.js';

const EVENTS = 'conversation.item.input_audio_transcription.';
const COMMITTED = 'input_audio_buffer.committed';
const MAX_MODEL_CHARS = 256;
/** Pieces of speech under way at once, and those of which no transcript has come yet. */
const MAX_ITEMS = 256;

const LANGUAGE: ReplyLanguage = {
  ...TRANSCRIPT_LANGUAGE,
  readDocument(document, notes): void {
    TRANSCRIPT_LANGUAGE.readDocument(document, notes);
    notes.noteResponseId(document.item_id);
    const how = findText(document, 'type')?.slice(EVENTS.length);
    if (how === 'completed' && findText(document, 'transcript') !== undefined) notes.noteOutput();
    if (how !== 'completed' && how !== 'failed') return;
    notes.noteFinish(0, how);
    notes.noteEnd();
  },
};

/** Whether a message of this type is told to `RealtimeTranscripts`. */
export function isOfTranscripts(type: string): boolean {
  return type === COMMITTED || type.startsWith(EVENTS);
}

/**
 * Transcripts of what a user says on a Realtime socket: made by a model of their own, beside the conversation or alone (a
 * session of type `transcription`), billed by it, and a call each. One begins when its speech is committed and ends with
 * `….completed`, which has the usage in tokens or seconds, or `….failed`. Source: types of the npm package `openai` 6.49
 * (`ConversationItemInputAudioTranscription…Event`, `AudioTranscription`; read 2026-11-27).
 */
export class RealtimeTranscripts {
  readonly #calls: SocketCalls;
  readonly #turns = new Map<string, SocketTurn>();
  readonly #committedAtMs = new Map<string, number>();
  #model: string | null = null;
  /** The session only transcribes, so that what its client sends belongs to transcripts. */
  #isAlone = false;

  constructor(calls: SocketCalls) {
    this.#calls = calls;
  }

  /** @param session what the provider, or the client, says of the session */
  noteSession(session: JsonObject, isTranscription: boolean): void {
    this.#isAlone ||= isTranscription || session.type === 'transcription';
    const settings = findObject(session, 'audio', 'input', 'transcription') ?? session.input_audio_transcription;
    const model = findText(settings, 'model')?.slice(0, MAX_MODEL_CHARS);
    if (model !== undefined) this.#model = model;
  }

  read(type: string, document: JsonObject, message: SocketMessage): void {
    const item = findText(document, 'item_id');
    if (item === undefined) return;
    if (type === COMMITTED) {
      if (this.#committedAtMs.size < MAX_ITEMS) this.#committedAtMs.set(item, message.atMs);
      return;
    }
    const turn = this.#turns.get(item) ?? this.#open(item, message.atMs);
    if (turn === undefined) return;
    turn.read(message, document);
    if (type !== `${EVENTS}completed` && type !== `${EVENTS}failed`) return;
    this.#turns.delete(item);
    turn.end(message);
  }

  close(): void {
    for (const turn of this.#turns.values()) turn.end(null);
    this.#turns.clear();
  }

  #open(item: string, atMs: number): SocketTurn | undefined {
    if (this.#turns.size >= MAX_ITEMS) return undefined;
    const startMs = this.#committedAtMs.get(item) ?? atMs;
    this.#committedAtMs.delete(item);
    const request = { model: this.#model, stream: true, wireSession: null };
    const call = this.#calls.open(startMs, { isApart: !this.#isAlone });
    const turn = new SocketTurn(call, LANGUAGE, request, 'realtime.transcription');
    this.#turns.set(item, turn);
    return turn;
  }
}

import type {
  SocketAsk,
  SocketCalls,
  SocketDialect,
  SocketMessage,
  SocketReader,
  SocketSaying,
} from '../core/socket.js';
import { unknownUsage } from '../core/usage.js';
import type { ReplyFacts, RequestFacts } from '../core/wire.js';
import { asksForAnswer, holdsContent, isMedia } from './google-live-content.js';
import { LIVE_DETAILS, LIVE_USAGE_NAMES, LiveUsage, listLiveSources, makeLiveUsage } from './google-live-usage.js';
import { findField, findItems, findObject, findText, type JsonObject } from './json-fields.js';
import type { ReplyLanguage } from './reply-language.js';
import { readMessage } from './socket-document.js';
import { SocketTurn } from './socket-turn.js';
import { findMembers, replaceMember, spliceBytes } from './wire/json-members.js';

const MAX_MODEL_CHARS = 256;
/**
 * By which Google closes a socket whose account has nothing left, and says so in the reason; there is no message for it. Seen in
 * https://github.com/sohzm/cheating-daddy/pull/455 and /458 (read 2026-11-27).
 */
const NOTHING_LEFT_CODE = 1011;

const LIVE_LANGUAGE: ReplyLanguage = {
  lookedFor: 'usageMetadata.promptTokenCount and usageMetadata.responseTokenCount',
  streamHint: null,
  noOutput: null,
  readDocument(document, notes): void {
    notes.noteUsage(document.usageMetadata, LIVE_USAGE_NAMES);
    notes.noteServiceTier(findField(document, 'usageMetadata', 'serviceTier'));
    for (const call of findItems(document, 'toolCall', 'functionCalls'))
      notes.noteToolCall({ choice: 0, key: `call ${notes.toolCallCount}` }, findField(call, 'name'));
    if (hasOutput(document)) notes.noteOutput();
    const content = findObject(document, 'serverContent');
    if (content === undefined) return;
    if (content.interrupted === true) notes.noteFinish(0, 'interrupted');
    notes.noteFinish(0, findField(content, 'turnCompleteReason'));
    if (content.turnComplete === true) notes.noteEnd();
  },
  listSources: listLiveSources,
  makeUsage: makeLiveUsage,
  details: LIVE_DETAILS,
};

/**
 * Gemini's Live API (`BidiGenerateContent`) over a WebSocket, also as Vertex AI serves it: one call a turn, from the first
 * content the client sends for it to `serverContent.turnComplete`.
 *
 * Every message is a JSON object, in text or binary frames. The model is that of the client's `setup`. A turn may hold tool
 * calls, which the client answers (`toolResponse`) before the model goes on. What a turn's usage is: `LiveUsage`. Source:
 * https://ai.google.dev/api/live, as types of the npm package `@google/genai` 2.32 (`LiveServerMessage`, `LiveClientMessage`;
 * read 2026-11-27).
 */
export const googleLive: SocketDialect = {
  api: 'live',
  open: (_head, calls) => new LiveSocket(calls),
};

interface Turn {
  readonly turn: SocketTurn;
  readonly usage: LiveUsage;
  /** Whether the client has asked for an answer, by more than an open microphone, or the model has begun one. */
  isAsked: boolean;
  hasOutput: boolean;
}

class LiveSocket implements SocketReader {
  readonly #calls: SocketCalls;
  #model: string | null = null;
  #open: Turn | null = null;
  /** A turn that ended without its usage, which may come behind its end, and the message that ended it. */
  #settling: { readonly turn: Turn; readonly last: SocketMessage } | null = null;
  /** The turn before was recorded without its usage, which may yet come. */
  #isUsageDue = false;

  constructor(calls: SocketCalls) {
    this.#calls = calls;
  }

  get isUnsettled(): boolean {
    return this.#settling !== null;
  }

  findAsk({ bytes }: SocketMessage): SocketAsk | null {
    const document = readMessage(bytes);
    if (document === undefined) return null;
    const model = findText(document, 'setup', 'model');
    if (model !== undefined) {
      const withModel = (name: string) => putSetupModel(bytes, { from: model, to: name });
      return { call: null, model: readModelName(model), isKept: true, withModel };
    }
    const begins = this.#open === null && holdsContent(document);
    return begins ? { call: this.#facts, model: this.#model, isKept: !isMedia(document) } : null;
  }

  refuse(_message: SocketMessage, why: string, say: (saying: SocketSaying) => void): void {
    say({ code: NOTHING_LEFT_CODE, reason: why });
  }

  readClient(message: SocketMessage): void {
    const document = readMessage(message.bytes);
    if (document === undefined) return;
    const model = findText(document, 'setup', 'model');
    if (model !== undefined) this.#model = readModelName(model);
    if (!holdsContent(document)) return;
    const turn = this.#requireTurn(message.atMs);
    turn.turn.call.addRequest(message, !isMedia(document));
    turn.isAsked ||= asksForAnswer(document);
  }

  readServer(message: SocketMessage): void {
    const document = readMessage(message.bytes);
    if (document === undefined) return;
    const isOutput = hasOutput(document);
    if (this.#settling !== null && this.#readBehindEnd(this.#settling.turn, message, document, isOutput)) return;
    const belongs = ['serverContent', 'toolCall', 'usageMetadata'].some((name) => Object.hasOwn(document, name));
    if (!isOutput && !(this.#open !== null && belongs)) return;
    const turn = this.#requireTurn(message.atMs);
    turn.hasOutput ||= isOutput;
    turn.turn.read(message, this.#withTurnUsage(turn, document), !holdsMedia(document));
    if (Object.hasOwn(document, 'toolCall')) turn.usage.noteToolCall();
    if (findField(document, 'serverContent', 'turnComplete') === true) this.#endTurn(turn, message);
  }

  settle(): void {
    const settling = this.#settling;
    this.#settling = null;
    if (settling !== null) this.#end(settling.turn, settling.last);
  }

  close(): void {
    this.settle();
    const turn = this.#open;
    // An open microphone alone asks for nothing.
    if (turn !== null && (turn.isAsked || turn.hasOutput)) this.#end(turn, null);
    this.#open = null;
  }

  #requireTurn(atMs: number): Turn {
    this.#open ??= {
      turn: new SocketTurn(this.#calls.open(atMs), LIVE_LANGUAGE, this.#facts),
      usage: new LiveUsage(),
      isAsked: false,
      hasOutput: false,
    };
    return this.#open;
  }

  get #facts(): RequestFacts {
    return { model: this.#model, stream: true, wireSession: null };
  }

  /** The message with the turn's usage in place of the request's. */
  #withTurnUsage(turn: Turn, document: JsonObject): JsonObject {
    const stated = findObject(document, 'usageMetadata');
    if (stated === undefined) return document;
    const { usageMetadata: _, ...rest } = document;
    // Before anything of this turn came out it may be the last one's.
    if (this.#isUsageDue && !turn.hasOutput) return rest;
    const { serviceTier = null } = stated;
    return { ...rest, usageMetadata: { ...turn.usage.note(stated), serviceTier } };
  }

  /** Whether the message was the usage of the turn that has ended: what is of the next one ends the waiting. */
  #readBehindEnd(turn: Turn, message: SocketMessage, document: JsonObject, isOutput: boolean): boolean {
    const isUsage = !isOutput && Object.hasOwn(document, 'usageMetadata');
    if (isUsage) turn.turn.read(message, this.#withTurnUsage(turn, document));
    if (isUsage || isOutput) this.settle();
    return isUsage;
  }

  #endTurn(turn: Turn, message: SocketMessage): void {
    this.#open = null;
    this.settle();
    if (turn.usage.isStated) this.#end(turn, message);
    else this.#settling = { turn, last: { ...message, bytes: Buffer.from(message.bytes) } };
  }

  #end(turn: Turn, last: SocketMessage | null): void {
    this.#isUsageDue = !turn.usage.isStated;
    turn.turn.end(last, (facts) => (turn.usage.isUnclear ? withoutUsage(facts) : facts));
  }
}

function withoutUsage(facts: ReplyFacts): ReplyFacts {
  const usageProblem =
    'The turn states usage for several prompts without a tool call between them: whether these overlap cannot be told.';
  return { ...facts, usage: unknownUsage, usageDetails: null, usageProblem };
}

/** `models/gemini-live`, or Vertex AI's `projects/…/models/gemini-live`. */
function readModelName(model: string): string {
  return (model.split('/').at(-1) ?? model).slice(0, MAX_MODEL_CHARS);
}

/** What stands before the name stays: `models/`, or where a project has it. */
function putSetupModel(
  bytes: Buffer,
  { from, to }: { readonly from: string; readonly to: string },
): Buffer | undefined {
  const setup = findMembers(bytes, ['setup'])?.at(-1);
  if (setup === undefined) return undefined;
  const name = `${from.slice(0, from.lastIndexOf('/') + 1)}${readModelName(to)}`;
  const text = replaceMember(bytes.subarray(setup.valueStart, setup.valueEnd), 'model', name);
  return text && spliceBytes(bytes, [{ start: setup.valueStart, end: setup.valueEnd, text }]);
}

function holdsMedia(document: JsonObject): boolean {
  const parts = findItems(document, 'serverContent', 'modelTurn', 'parts');
  return parts.some((part) => findObject(part, 'inlineData') !== undefined);
}

function hasOutput(document: JsonObject): boolean {
  if (Object.hasOwn(document, 'toolCall')) return true;
  const content = findObject(document, 'serverContent');
  const isPiece = findItems(content, 'modelTurn', 'parts').some((part) => findField(part, 'text') !== '');
  return isPiece || findText(content, 'outputTranscription', 'text') !== undefined;
}

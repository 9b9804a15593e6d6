import type { SocketCall, SocketMessage } from '../core/socket.js';
import type { RequestFacts } from '../core/wire.js';
import type { JsonObject } from './json-fields.js';
import type { ReplyLanguage } from './reply-language.js';
import { type MessageReader, openMessageReader } from './reply-reader.js';

/** One call on a socket with the reader of its reply. */
export class SocketTurn {
  readonly call: SocketCall;
  readonly #reader: MessageReader;
  #isOver = false;
  /** The id its reply gives itself, once it has. */
  id: string | null = null;
  request: RequestFacts;
  readonly #api: string | null;

  /** @param api the record's, where it is not the dialect's */
  constructor(call: SocketCall, language: ReplyLanguage, request: RequestFacts, api: string | null = null) {
    this.call = call;
    this.#api = api;
    this.#reader = openMessageReader(language);
    this.request = request;
  }

  /** @param isKept false for sound and pictures */
  read(message: SocketMessage, document: JsonObject, isKept = true): void {
    this.call.addReply(message, isKept);
    this.#reader.readMessage(document, message.atMs);
  }

  /** Takes a further piece of output unparsed. */
  pass(message: SocketMessage, isKept = true): void {
    this.call.addReply(message, isKept);
    this.#reader.passOutput(message.atMs);
  }

  /** Leaves the record. @param last the message that ended the reply, `null` where it was cut */
  end(
    last: SocketMessage | null,
    explain: (facts: ReturnType<MessageReader['end']>) => typeof facts = (facts) => facts,
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reply = explain(this.#reader.end());
    const { request } = this;
    const named = this.#api === null ? {} : { api: this.#api };
    this.call.end({ request, reply, outputTimes: this.#reader.outputTimes(), ...named }, last);
  }
}

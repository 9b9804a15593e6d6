import type { SocketSide } from '../core/socket.js';
import type { Receipt } from '../core/timing.js';
import { BothHashes, RunningHash } from './body-hash.js';

/** Hashes of a call's bodies, fed where their bytes are taken and where they are given away. */
export interface CallHashes {
  readonly request: BothHashes;
  readonly reply: BothHashes;
}

export function makeHashes(): CallHashes {
  return { request: new BothHashes(), reply: new BothHashes() };
}

export function makeReceipt(hashes: CallHashes): Receipt {
  const request = hashes.request.digest();
  const reply = hashes.reply.digest();
  return Object.freeze({
    requestFromClient: request.taken,
    requestToProvider: request.given,
    replyFromProvider: reply.taken,
    replyToClient: reply.given,
  });
}

/**
 * The receipt of a WebSocket, of which each response's record takes what stands by then: frames of several responses, and
 * of none, lie between each other, so that a receipt of one alone would leave out what nobody could check.
 */
export class SocketReceipt {
  readonly #taken = { client: new RunningHash(), server: new RunningHash() };
  readonly #given = { client: new RunningHash(), server: new RunningHash() };

  noteTaken(from: SocketSide, bytes: Buffer): void {
    this.#taken[from].update(bytes);
  }

  noteGiven(to: SocketSide, bytes: Buffer): void {
    this.#given[to].update(bytes);
  }

  read(): Receipt {
    return Object.freeze({
      requestFromClient: this.#taken.client.read(),
      requestToProvider: this.#given.server.read(),
      replyFromProvider: this.#taken.server.read(),
      replyToClient: this.#given.client.read(),
    });
  }
}

import type { SocketSide } from '../core/socket.js';
import type { Receipt } from '../core/timing.js';
import { BodyHash, RunningHash } from './body-hash.js';

type Hashes = { readonly [Side in keyof Receipt]: BodyHash };

/** A hash for each side of the tap, fed where the bytes are taken and where they are given away. */
export function makeHashes(): Hashes {
  return {
    requestFromClient: new BodyHash(),
    requestToProvider: new BodyHash(),
    replyFromProvider: new BodyHash(),
    replyToClient: new BodyHash(),
  };
}

export function makeReceipt(hashes: Hashes): Receipt {
  return Object.freeze({
    requestFromClient: hashes.requestFromClient.digest(),
    requestToProvider: hashes.requestToProvider.digest(),
    replyFromProvider: hashes.replyFromProvider.digest(),
    replyToClient: hashes.replyToClient.digest(),
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

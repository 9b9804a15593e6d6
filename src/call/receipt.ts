import type { Receipt } from '../core/timing.js';
import { BothHashes } from './body-hash.js';

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

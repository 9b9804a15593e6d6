import type { Receipt } from '../core/timing.js';
import { BodyHash } from './body-hash.js';

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

import { codeNames } from '../http2/codes.js';

/** A stream of HTTP/2 that one end has reset, by the code it gave. */
export class StreamReset extends Error {
  readonly resetCode: number;

  constructor(resetCode: number, who: string) {
    super(`${who} reset the stream with ${codeNames[resetCode] ?? resetCode}`);
    this.resetCode = resetCode;
  }
}

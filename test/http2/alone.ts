import { Http2Session } from '../../src/http2/session.js';
import { endHeaders, type Frame, frameTypes, writeHeaders, writeSettings } from '../fixtures/http2-frames.js';
import { get, Heard } from './session-pair.js';

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

interface Told {
  readonly type: number;
  readonly id: number;
  readonly code: number;
}

/** One end alone, and what it answers to bytes. */
export class Alone {
  readonly session: Http2Session;
  readonly heard: Heard[] = [];
  readonly ended: boolean[] = [];
  readonly problems: Error[] = [];
  #out = Buffer.alloc(0);

  constructor(isServer: boolean) {
    this.session = new Http2Session(
      { isServer, windowBytes: 1000, connectionWindowBytes: 100_000, maxHeaderBytes: 20_000, maxStreams: 10 },
      {
        write: (pieces) => {
          this.#out = Buffer.concat([this.#out, ...pieces]);
          return true;
        },
        end: (isFaulty) => void this.ended.push(isFaulty),
        onStream: (stream) => {
          const heard = new Heard();
          heard.stream = stream;
          stream.listen(heard);
          this.heard.push(heard);
        },
        onLeaving: () => undefined,
        onProblem: (error) => this.problems.push(error),
      },
    );
  }

  receive(...frames: readonly Buffer[]): this {
    this.session.receive(Buffer.concat(frames));
    return this;
  }

  /** All it has said. */
  get frames(): Frame[] {
    const frames: Frame[] = [];
    const skipped = this.#out.indexOf(preface) === 0 ? preface.length : 0;
    for (let at = skipped; at + 9 <= this.#out.length; ) {
      const end = at + 9 + this.#out.readUIntBE(at, 3);
      const [type = 0, flags = 0] = this.#out.subarray(at + 3, at + 5);
      frames.push({ type, flags, id: this.#out.readUInt32BE(at + 5), payload: this.#out.subarray(at + 9, end) });
      at = end;
    }
    return frames;
  }

  /** What it said of streams that ended and of its own end. */
  get told(): Told[] {
    return this.frames.flatMap(({ type, id, payload }): Told[] => {
      if (type === frameTypes.reset) return [{ type, id, code: payload.readUInt32BE(0) }];
      return type === frameTypes.goaway ? [{ type, id, code: payload.readUInt32BE(4) }] : [];
    });
  }
}

export const openServer = (): Alone => new Alone(true).receive(preface, writeSettings());

export function openClient(): Alone {
  const client = new Alone(false).receive(writeSettings());
  const heard = new Heard();
  heard.stream = client.session.request(get, true, heard);
  client.heard.push(heard);
  return client;
}

export const ask = (id: number, flags = endHeaders): Buffer => writeHeaders(id, get, flags);
export const goaway = (code: number): Told => ({ type: frameTypes.goaway, id: 0, code });
export const resetOf = (id: number, code: number): Told => ({ type: frameTypes.reset, id, code });
export const many = (count: number, frame: () => Buffer): Buffer[] => Array.from({ length: count }, frame);

import { Http2Session, type SessionOptions } from '../../src/http2/session.js';
import type { Http2Stream, StreamEnd, StreamEvents } from '../../src/http2/stream.js';

const usual = { windowBytes: 65_536, connectionWindowBytes: 1024 * 1024, maxHeaderBytes: 64 * 1024, maxStreams: 100 };

/** What one end has heard of a stream. */
export class Heard implements StreamEvents {
  stream: Http2Stream | null = null;
  readonly heads: (readonly [number, string[]])[] = [];
  readonly pieces: Buffer[] = [];
  readonly ends: string[][] = [];
  readonly closed: StreamEnd[] = [];
  drains = 0;
  sent = 0;
  onEach: () => void = () => undefined;

  get body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  onHead(status: number, raw: string[]): void {
    this.heads.push([status, raw]);
    this.onEach();
  }

  onData(piece: Buffer): void {
    this.pieces.push(piece);
    this.onEach();
  }

  onEnd(rawTrailers: string[]): void {
    this.ends.push(rawTrailers);
    this.onEach();
  }

  onDrain(): void {
    this.drains += 1;
  }

  onSent(): void {
    this.sent += 1;
  }

  onClosed(end: StreamEnd): void {
    this.closed.push(end);
  }
}

/** One end, and what it told its connection. */
export interface End {
  readonly session: Http2Session;
  readonly problems: Error[];
  readonly ended: boolean[];
  leavings: number;
  maxStreams: number | null;
}

export interface Pair {
  readonly client: End;
  readonly server: End;
  /** Streams the server was asked on, in their order. */
  readonly asked: { readonly heard: Heard; readonly raw: readonly string[] }[];
  onAsked: (heard: Heard, raw: readonly string[]) => void;
  /** Carries what either has said until neither says more. */
  settle(): Promise<void>;
  ask(raw?: readonly string[], isEnd?: boolean): Heard;
}

export const get = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];

/** A client and a server in one process, with nothing between them but a queue; `isTight` takes one write at a time. */
export function openPair(
  options: { readonly isTight?: boolean; readonly client?: object; readonly server?: object } = {},
): Pair {
  const queue: (() => void)[] = [];
  const open = (isServer: boolean, more: object | undefined, other: () => End): End => {
    const end: Omit<End, 'session'> = { problems: [], ended: [], leavings: 0, maxStreams: null };
    const settings: SessionOptions = { ...usual, isServer, ...more };
    const session = new Http2Session(settings, {
      write: (pieces) => {
        const bytes = Buffer.concat(pieces);
        queue.push(() => {
          other().session.receive(bytes);
          if (options.isTight) session.drained();
        });
        return !options.isTight;
      },
      end: (isFaulty) => void end.ended.push(isFaulty),
      onStream: (stream, raw) => {
        const heard = new Heard();
        heard.stream = stream;
        stream.listen(heard);
        pair.asked.push({ heard, raw });
        pair.onAsked(heard, raw);
      },
      onMaxStreams: (maxStreams) => {
        made.maxStreams = maxStreams;
      },
      onLeaving: () => (made.leavings += 1),
      onProblem: (error) => end.problems.push(error),
    });
    const made: End = Object.assign(end, { session });
    return made;
  };
  const pair: Pair = {
    client: open(false, options.client, () => pair.server),
    server: open(true, options.server, () => pair.client),
    asked: [],
    onAsked: () => undefined,
    settle: async () => {
      for (let quiet = 0; quiet < 3; ) {
        const next = queue.shift();
        quiet = next === undefined ? quiet + 1 : 0;
        next?.();
        await new Promise(setImmediate);
      }
    },
    ask: (raw = get, isEnd = true) => {
      const heard = new Heard();
      heard.stream = pair.client.session.request(raw, isEnd, heard);
      return heard;
    },
  };
  return pair;
}

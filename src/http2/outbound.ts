import type { RawHeaders } from '../core/wire.js';
import { ConnectionFault, defaults, errorCodes, maxWindowBytes, type settingIds } from './codes.js';
import { FrameWriter, headBytes } from './frame-writer.js';
import { HeaderEncoder } from './header-encoder.js';
import type { Http2Stream } from './stream.js';

export interface OutboundPorts {
  /** Whether more may follow at once; `drained` is to be called otherwise. */
  write(pieces: readonly Buffer[]): boolean;
  /** All that was said has been written. */
  onFlushed(): void;
}

/** Gathered bodies beyond which streams wait for the connection to take them. */
const maxGatheredBytes = 64 * 1024;
/** Answers beyond which who asks for them faster than they can be written is cut off: some nine hundred to SETTINGS. */
const maxAnswerBytes = 8 * 1024;

/** What goes out on a connection: whose turn it is, and when it is written. */
export class Outbound {
  readonly #ports: OutboundPorts;
  readonly #encoder = new HeaderEncoder();
  readonly #writer = new FrameWriter();
  /** Streams that could send on, but for the connection. */
  readonly #blocked = new Set<Http2Stream>();
  /** What the other end lets all streams together send. Source: RFC 9113 section 6.9 (read 2026-11-28). */
  #window: number = defaults.windowBytes;
  #answerBytes = 0;
  #isFull = false;
  #isHeld = false;
  #isFlushDue = false;
  #isStopped = false;

  constructor(ports: OutboundPorts) {
    this.#ports = ports;
  }

  /** What waits for the connection to take it. */
  get unwritten(): number {
    return this.#writer.bytes;
  }

  /** Bytes that are no frame. */
  writeRaw(bytes: Buffer): void {
    this.#writer.raw(bytes);
    this.#touch();
  }

  writeSettings(settings: Readonly<Partial<Record<keyof typeof settingIds, number>>>): void {
    this.#writer.settings(settings);
    this.#touch();
  }

  writeHead(id: number, raw: RawHeaders, isEnd: boolean): void {
    this.#writer.headers(id, this.#encoder.encode(raw), isEnd);
    this.#touch();
  }

  /** RST_STREAM and WINDOW_UPDATE. */
  writeNumber(type: number, id: number, value: number): void {
    this.#writer.number(type, id, value);
    this.#touch();
  }

  writeGoaway(lastId: number, code: number): void {
    this.#writer.goaway(lastId, code);
    this.#touch();
  }

  /** Answers SETTINGS (with nothing) or a PING. Throws a `ConnectionFault` where the other end does not read answers. */
  answer(type: number, bytes: Buffer): void {
    this.#writer.acknowledge(type, bytes);
    this.#answerBytes += bytes.length + headBytes;
    if (this.#answerBytes > maxAnswerBytes)
      throw new ConnectionFault(errorCodes.enhanceYourCalm, 'More is to be answered than is read.');
    this.#touch();
  }

  /** As the other end has said of its table of headers. */
  resizeTable(bytes: number): void {
    this.#encoder.resize(bytes);
  }

  /** @returns whether the window is one that can be */
  addWindow(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > maxWindowBytes) return false;
    this.#pump();
    return true;
  }

  /** Sends what a stream has to send, as far as it may; the rest in its turn. */
  send(stream: Http2Stream): void {
    if (this.#blocked.has(stream)) return;
    while (stream.canSend && !this.#mustWait(stream)) this.#sendNext(stream);
    if (stream.canSend) this.#blocked.add(stream);
    stream.tellDrained();
  }

  forget(stream: Http2Stream): void {
    this.#blocked.delete(stream);
  }

  /** What was written has gone, after a `write` that told to wait. */
  drained(): void {
    this.#isFull = false;
    this.#pump();
    this.flush();
  }

  /** Writes nothing until `flush`: what answers one piece goes out in one. */
  hold(): void {
    this.#isHeld = true;
  }

  flush(): void {
    this.#isHeld = false;
    while (!this.#isStopped && !this.#isFull && this.#writer.bytes > 0) {
      this.#isFull = !this.#ports.write(this.#writer.take());
      this.#answerBytes = 0;
      if (!this.#isFull) this.#pump();
    }
    if (!this.#isStopped && this.#writer.bytes === 0) this.#ports.onFlushed();
  }

  /** Writes what there is, whether anybody takes it, and then nothing more. */
  stop(): void {
    if (!this.#isStopped && this.#writer.bytes > 0) this.#ports.write(this.#writer.take());
    this.#isStopped = true;
    this.#blocked.clear();
  }

  /** Sees to it that what was gathered goes out, when this turn is over. */
  #touch(): void {
    if (this.#isHeld || this.#isFlushDue || this.#isStopped) return;
    this.#isFlushDue = true;
    process.nextTick(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  #mustWait(stream: Http2Stream): boolean {
    return this.#isFull || this.#writer.bytes >= maxGatheredBytes || (this.#window <= 0 && stream.hasBody);
  }

  #sendNext(stream: Http2Stream): void {
    this.#window -= stream.sendNext(this.#writer, Math.min(this.#window, defaults.frameBytes));
    this.#touch();
  }

  /** A frame of each in turn, as long as any can go. */
  #pump(): void {
    for (let hasSent = true; hasSent && this.#blocked.size > 0; ) {
      hasSent = false;
      for (const stream of [...this.#blocked]) {
        if (stream.canSend && !this.#mustWait(stream)) {
          this.#sendNext(stream);
          hasSent = true;
        }
        if (!stream.canSend) this.#blocked.delete(stream);
        stream.tellDrained();
      }
    }
  }
}

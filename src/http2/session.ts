// Longer than most: what the frames of one connection do to its streams, which is one state.
import { toError } from '../core/errors.js';
import type { RawHeaders } from '../core/wire.js';
import { ConnectionFault, defaults, errorCodes, frameTypes, maxWindowBytes, preface, settingIds } from './codes.js';
import type { HeaderBlock } from './header-decoder.js';
import { Inbound, type InboundPorts } from './inbound.js';
import { isRequest, isRequestTrailers, isTrailers, readBodyBytes, readMethod, readStatus } from './message.js';
import { Outbound } from './outbound.js';
import { RateLimit } from './rate-limit.js';
import { Http2Stream, type StreamEvents, type StreamLink } from './stream.js';

export interface SessionOptions {
  readonly isServer: boolean;
  /** What the other end may send on a stream before it is taken. */
  readonly windowBytes: number;
  /** The same of all streams together. NOTE: given back as bytes come, taken or not, so that no stream holds up others. */
  readonly connectionWindowBytes: number;
  /** Bound on a block of headers. */
  readonly maxHeaderBytes: number;
  /** Streams the other end may have open; on a client's side those it is taken to allow until it says how many. */
  readonly maxStreams: number;
}

/** What a connection does to the world. */
export interface SessionPorts {
  /** Whether more may follow at once; `drained` is to be called otherwise. */
  write(pieces: readonly Buffer[]): boolean;
  /** Closes when what was written has gone. `isFaulty` where the other end cannot be expected to read it. */
  end(isFaulty: boolean): void;
  /** Somebody asks. The stream hears nothing until `listen`, which must come before this returns. */
  onStream?(stream: Http2Stream, raw: RawHeaders, isEnd: boolean): void;
  /** One is over: nothing more goes or comes by it. */
  onStreamOver?(): void;
  /** The other end has said how many streams it takes. */
  onMaxStreams?(maxStreams: number): void;
  /** Nothing can be asked any more, whatever is under way. */
  onLeaving(): void;
  /** The owner of a stream threw; the stream was reset. */
  onProblem(error: Error): void;
}

interface Waiting {
  readonly stream: Http2Stream;
  readonly raw: RawHeaders;
  readonly isEnd: boolean;
}

/**
 * What a client may take back (CVE-2023-44487), or have refused to it (CVE-2025-8671), and frames that say nothing: as
 * nghttp2 has it. Source: nghttp2_option_set_stream_reset_rate_limit and _glitch_rate_limit, nghttp2.h (read 2026-11-28).
 */
const resetLimit = { burst: 1000, perSecond: 33 };
const idleLimit = { burst: 10_000, perSecond: 330 };
/** Heads of replies, which no window holds back, beyond which who asks on without reading them is cut off. */
const maxUnwrittenBytes = 16 * 1024 * 1024;
const goodbyeId = 0x7fff_ffff;

/** One connection of HTTP/2, either end of it. It touches no socket: bytes come by `receive` and go by its ports. */
export class Http2Session implements InboundPorts, StreamLink {
  readonly #options: SessionOptions;
  readonly #ports: SessionPorts;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #streams = new Map<number, Http2Stream>();
  /** Not opened: the other end has as many as it takes. */
  #waiting: Waiting[] = [];
  readonly #resets = new RateLimit(resetLimit);
  readonly #idles = new RateLimit(idleLimit);
  #nextId = 1;
  #lastRemoteId = 0;
  /** What a goodbye names, which may not name more later. */
  #lastTakenId = 0;
  #maxStreams: number;
  #firstSendWindow: number = defaults.windowBytes;
  #untold = 0;
  #hasSettings = false;
  #isLeaving = false;
  #isEnding = false;
  #isOver = false;

  constructor(options: SessionOptions, ports: SessionPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#maxStreams = options.maxStreams;
    this.#inbound = new Inbound(this, options);
    this.#outbound = new Outbound({ write: (pieces) => ports.write(pieces), onFlushed: () => this.#endWhenDone() });
    this.#begin();
  }

  /** Nothing can be asked any more. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Streams that are open, or wait to be. */
  get streams(): number {
    return this.#streams.size + this.#waiting.length;
  }

  /** The connection is gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes what came. */
  receive(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#outbound.hold();
    try {
      this.#inbound.read(chunk);
      if (this.#options.isServer && this.#outbound.unwritten > maxUnwrittenBytes)
        throw new ConnectionFault(errorCodes.enhanceYourCalm, 'More is asked than is read of the replies.');
    } catch (error) {
      this.#fail(toError(error));
    }
    this.#outbound.flush();
  }

  /** What was written has gone, after a `write` that told to wait. */
  drained(): void {
    this.#outbound.drained();
  }

  /** The connection has gone, and its streams with it. */
  lose(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outbound.stop();
    this.#leave();
    const streams = [...this.#streams.values(), ...this.#waiting.splice(0).map(({ stream }) => stream)];
    for (const stream of streams) stream.receiveClose({ code: errorCodes.cancel, lost: { error } });
  }

  /** Says goodbye: what is under way ends first. */
  close(): void {
    if (this.#isLeaving) return;
    this.#outbound.writeGoaway(this.#lastTakenId, errorCodes.noError);
    this.#leave();
  }

  /** Asks something on a stream of its own, which waits where the other end takes no more; refused where it never will. */
  request(raw: RawHeaders, isEnd: boolean, events: StreamEvents): Http2Stream {
    const stream = this.#makeStream(false);
    stream.listen(events);
    const lost = this.#isOver ? { error: null } : null;
    const end = { code: errorCodes.refusedStream, lost };
    if (this.#isLeaving) process.nextTick(() => stream.receiveClose(end));
    else if (this.#streams.size < this.#maxStreams && this.#waiting.length === 0) this.#open({ stream, raw, isEnd });
    else this.#waiting.push({ stream, raw, isEnd });
    return stream;
  }

  send(stream: Http2Stream): void {
    this.#outbound.send(stream);
  }

  writeHead(stream: Http2Stream, raw: RawHeaders, isEnd: boolean): void {
    this.#outbound.writeHead(stream.id, raw, isEnd);
  }

  writeNumber(type: number, id: number, value: number): void {
    this.#outbound.writeNumber(type, id, value);
  }

  forget(stream: Http2Stream): void {
    this.#outbound.forget(stream);
    if (stream.id === 0) this.#waiting = this.#waiting.filter((waiting) => waiting.stream !== stream);
    else this.#streams.delete(stream.id);
    this.#openWaiting();
    this.#ports.onStreamOver?.();
    if (this.#isLeaving && this.#streams.size === 0) process.nextTick(() => this.#outbound.flush());
  }

  refuse(stream: Http2Stream, code: number): void {
    if (stream.isClosed) return;
    this.writeNumber(frameTypes.reset, stream.id, code);
    stream.receiveClose({ code, lost: null, isRefused: true });
    if (this.#options.isServer) this.#limit(this.#resets, 'streams that had to be refused');
  }

  onProblem(error: Error): void {
    this.#ports.onProblem(error);
  }

  onHeaders(id: number, block: HeaderBlock, isEnd: boolean): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#onLaterHead(stream, block, isEnd);
    else if (this.#options.isServer && id % 2 === 1 && id > this.#lastRemoteId) this.#onRequest(id, block, isEnd);
    // Of one that is over here, which the other end could not know.
    else if (this.#isPast(id)) this.onIdle();
    else throw new ConnectionFault(errorCodes.protocolError, `Headers came on stream ${id}, which nobody opened.`);
  }

  onData(id: number, piece: Buffer, isEnd: boolean, paddingBytes: number): void {
    this.#takeFromWindow(piece.length + paddingBytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#requirePast(id, 'DATA');
    if (stream.isRemoteEnded) return this.refuse(stream, errorCodes.streamClosed);
    if (!stream.hasHead) throw new ConnectionFault(errorCodes.protocolError, 'A body came before its head.');
    if (!stream.receiveData(piece, isEnd, paddingBytes)) this.refuse(stream, errorCodes.flowControlError);
  }

  onReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#requirePast(id, 'RST_STREAM');
    if (this.#options.isServer) this.#limit(this.#resets, 'streams taken back');
    stream.receiveClose({ code, lost: null });
  }

  onSettings(settings: readonly number[]): void {
    // Who does not say how many streams it takes takes any number.
    const saysMaxStreams = settings.some((id, i) => i % 2 === 0 && id === settingIds.maxConcurrentStreams);
    if (!this.#hasSettings && !saysMaxStreams && !this.#options.isServer)
      this.#takeMaxStreams(Number.POSITIVE_INFINITY);
    this.#hasSettings = true;
    for (let i = 0; i + 1 < settings.length; i += 2) {
      // A frame holds thousands, each of which may be the window of every stream.
      this.onIdle();
      this.#applySetting(settings[i] ?? 0, settings[i + 1] ?? 0);
    }
    this.#outbound.answer(frameTypes.settings, nothing);
    this.onIdle();
  }

  onPing(bytes: Buffer): void {
    this.#outbound.answer(frameTypes.ping, bytes);
    this.onIdle();
  }

  onGoaway(lastId: number, code: number): void {
    this.#leave();
    const passedOver = this.#waiting.splice(0).map(({ stream }) => stream);
    if (!this.#options.isServer) for (const [id, stream] of this.#streams) if (id > lastId) passedOver.push(stream);
    // It never looked at them. Source: RFC 9113 section 6.8 (read 2026-11-28).
    for (const stream of passedOver) stream.receiveClose({ code: errorCodes.refusedStream, lost: null });
    if (code === errorCodes.noError) return;
    // With an error it closes: what it has looked at is lost, whether it gets to closing or not.
    this.lose(new Error(`the other end gave up the connection with code ${code}`));
    this.#ports.end(true);
  }

  onWindow(id: number, bytes: number): void {
    const stream = this.#streams.get(id);
    if (id > 0 && stream === undefined) return this.#requirePast(id, 'WINDOW_UPDATE');
    // NOTE: of a stream it may be that stream's end alone, but nothing that works says it (RFC 9113 section 5.4.1).
    if (bytes === 0) throw new ConnectionFault(errorCodes.protocolError, 'A window was made larger by nothing.');
    if (stream === undefined) {
      if (!this.#outbound.addWindow(bytes)) throw tooLarge();
      return;
    }
    if (!stream.addWindow(bytes)) return this.refuse(stream, errorCodes.flowControlError);
    this.send(stream);
  }

  onIdle(): void {
    this.#limit(this.#idles, 'frames that say nothing');
  }

  #begin(): void {
    const { isServer, windowBytes, connectionWindowBytes, maxHeaderBytes, maxStreams } = this.#options;
    if (!isServer) this.#outbound.writeRaw(preface);
    this.#outbound.writeSettings({
      // Nobody could be told of a pushed reply.
      ...(isServer ? { maxConcurrentStreams: maxStreams } : { enablePush: 0 }),
      initialWindowSize: windowBytes,
      maxHeaderListSize: maxHeaderBytes,
    });
    this.writeNumber(frameTypes.windowUpdate, 0, connectionWindowBytes - defaults.windowBytes);
  }

  #makeStream(isRemote: boolean): Http2Stream {
    const { windowBytes } = this.#options;
    return new Http2Stream(this, { sendWindow: this.#firstSendWindow, windowBytes, isRemote });
  }

  #open({ stream, raw, isEnd }: Waiting): void {
    stream.id = this.#nextId;
    this.#nextId += 2;
    if (this.#nextId > goodbyeId) this.#leave();
    // It may have changed while the stream waited.
    stream.sendWindow = this.#firstSendWindow;
    stream.isHead = readMethod(raw) === 'HEAD';
    this.#streams.set(stream.id, stream);
    this.writeHead(stream, raw, isEnd);
    if (isEnd) stream.markSent();
    else this.send(stream);
  }

  #openWaiting(): void {
    while (this.#streams.size < this.#maxStreams) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#open(next);
    }
  }

  #onRequest(id: number, { raw, isUnsound, isTooLong }: HeaderBlock, isEnd: boolean): void {
    this.#lastRemoteId = id;
    if (!this.#isLeaving) this.#lastTakenId = id;
    const isRefused = this.#isLeaving || this.#streams.size >= this.#options.maxStreams;
    const bodyBytes = readBodyBytes(raw);
    const stream = this.#makeStream(true);
    stream.id = id;
    stream.hasHead = true;
    this.#streams.set(id, stream);
    if (isRefused) return this.refuse(stream, errorCodes.refusedStream);
    if (isTooLong) return this.#refuseTooLong(stream);
    const isWrong = isUnsound || !isRequest(raw) || bodyBytes === undefined || (isEnd && (bodyBytes ?? 0) > 0);
    if (isWrong) return this.refuse(stream, errorCodes.protocolError);
    stream.expect(bodyBytes);
    try {
      this.#ports.onStream?.(stream, raw, isEnd);
    } catch (error) {
      stream.reset(errorCodes.internalError);
      this.#ports.onProblem(toError(error));
    }
    if (isEnd && !stream.isClosed) stream.receiveEnd([]);
  }

  #onLaterHead(stream: Http2Stream, block: HeaderBlock, isEnd: boolean): void {
    const { raw, isTooLong } = block;
    if (stream.isRemoteEnded) return this.refuse(stream, errorCodes.streamClosed);
    if (isTooLong) return this.refuse(stream, errorCodes.enhanceYourCalm);
    if (stream.hasHead) {
      if (!isEnd || !this.#isTrailers(block)) return this.refuse(stream, errorCodes.protocolError);
      return stream.receiveEnd(raw);
    }
    const status = readStatus(raw);
    const isInterim = status !== undefined && status < 200;
    if (status === undefined || (isInterim && isEnd)) return this.refuse(stream, errorCodes.protocolError);
    if (!isInterim && !this.#takeHead(stream, status, { raw, isEnd }))
      return this.refuse(stream, errorCodes.protocolError);
    // NOTE: what goes before a reply is passed on whether its client reads or not.
    if (isInterim) this.onIdle();
    stream.receiveHead(status, raw, isEnd);
  }

  #isTrailers({ raw, isUnsound }: HeaderBlock): boolean {
    return this.#options.isServer ? !isUnsound && isRequestTrailers(raw) : isTrailers(raw);
  }

  /** @returns whether it can be one */
  #takeHead(stream: Http2Stream, status: number, head: { readonly raw: RawHeaders; readonly isEnd: boolean }): boolean {
    const bodyBytes = readBodyBytes(head.raw);
    stream.hasHead = true;
    // Theirs is the length of a body that is not sent. Source: RFC 9110 section 8.6 (read 2026-11-28).
    if (stream.isHead || status === 304) return bodyBytes !== undefined;
    stream.expect(bodyBytes ?? null);
    return bodyBytes !== undefined && !(head.isEnd && (bodyBytes ?? 0) > 0);
  }

  #applySetting(setting: number, value: number): void {
    switch (setting) {
      case settingIds.headerTableSize:
        return this.#outbound.resizeTable(value);
      case settingIds.enablePush:
        // A server has nothing to allow. Source: RFC 9113 section 6.5.2 (read 2026-11-28).
        if (value > (this.#options.isServer ? 1 : 0))
          throw new ConnectionFault(errorCodes.protocolError, `ENABLE_PUSH cannot be ${value}.`);
        return;
      case settingIds.maxConcurrentStreams:
        if (this.#options.isServer) return;
        return this.#takeMaxStreams(value);
      case settingIds.initialWindowSize:
        return this.#resizeWindows(value);
      case settingIds.maxFrameSize:
        if (value < defaults.frameBytes || value > 0xff_ffff)
          throw new ConnectionFault(errorCodes.protocolError, `MAX_FRAME_SIZE cannot be ${value}.`);
        return;
      default:
        // Nobody knows the others, and how long a list of headers may be is a wish.
        return;
    }
  }

  #takeMaxStreams(maxStreams: number): void {
    this.#maxStreams = maxStreams;
    this.#ports.onMaxStreams?.(maxStreams);
    this.#openWaiting();
  }

  /** Source: RFC 9113 section 6.9.2 (read 2026-11-28). */
  #resizeWindows(bytes: number): void {
    if (bytes > maxWindowBytes) throw tooLarge();
    const more = bytes - this.#firstSendWindow;
    this.#firstSendWindow = bytes;
    // NOTE: all first, for one that then ends lets another begin, which has the new window already.
    const streams = [...this.#streams.values()];
    if (!streams.every((stream) => stream.addWindow(more))) throw tooLarge();
    for (const stream of streams) this.send(stream);
  }

  /** NOTE: given back as it comes, it is a bound on nothing here: the windows of the streams are. */
  #takeFromWindow(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold * 2 < this.#options.connectionWindowBytes) return;
    this.writeNumber(frameTypes.windowUpdate, 0, this.#untold);
    this.#untold = 0;
  }

  /** Whether a stream was opened once. */
  #isPast(id: number): boolean {
    return id % 2 === 1 && (this.#options.isServer ? id <= this.#lastRemoteId : id < this.#nextId);
  }

  #requirePast(id: number, what: string): void {
    if (!this.#isPast(id))
      throw new ConnectionFault(errorCodes.protocolError, `${what} came on stream ${id}, which nobody opened.`);
  }

  /** Source: RFC 6585 section 5 (read 2026-11-28). */
  #refuseTooLong(stream: Http2Stream): void {
    stream.writeHead([':status', '431'], true);
    stream.reset(errorCodes.noError);
    this.#limit(this.#resets, 'streams that had to be refused');
  }

  #limit(limit: RateLimit, what: string): void {
    if (!limit.take()) throw new ConnectionFault(errorCodes.enhanceYourCalm, `Too many came: ${what}.`);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    const isFault = error instanceof ConnectionFault;
    if (!isFault) this.#ports.onProblem(error);
    this.#outbound.writeGoaway(this.#lastTakenId, isFault ? error.code : errorCodes.internalError);
    this.lose(error);
    this.#ports.end(true);
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#ports.onLeaving();
  }

  #endWhenDone(): void {
    if (!this.#isLeaving || this.#streams.size > 0 || this.#isEnding) return;
    this.#isEnding = true;
    this.#ports.end(false);
  }
}

const nothing = Buffer.alloc(0);

function tooLarge(): ConnectionFault {
  return new ConnectionFault(errorCodes.flowControlError, 'A window was made larger than one can be.');
}

// Longer than 250 lines: one exchange, whose every step shares its state.
import { Readable } from 'node:stream';
import type { Answer, Call, Fallback, Interruption, ReplyRewrite, RewrittenRequest } from '../call/call.js';
import { TrackerError } from '../core/errors.js';
import { makeLagError, type ReplyControl, type ReplyHandler } from '../core/reply.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { RawHeaders } from '../core/wire.js';
import { Backlog } from './backlog.js';
import type { ClientSide } from './client-side.js';
import type { Destination } from './connector.js';
import { readContentLength, replaceContentLength } from './content-length.js';
import type { Door } from './door.js';
import { explainLeaving } from './explain-leaving.js';
import { explainUpstreamError, makeFailureReply } from './explain-upstream-error.js';
import { FallbackTry } from './fallback-try.js';
import { FirstTry } from './first-try.js';
import { keepFraming, type RequestBody, takeBody } from './request-body.js';
import type { Upstream, UpstreamRequest } from './upstream.js';

export interface ExchangeOptions {
  readonly client: ClientSide;
  readonly destination: Destination;
  /** Path and query. */
  readonly path: string;
  readonly upstream: Pick<Upstream, 'send'>;
  /** `null` when the request is no model call: it passes unrecorded. */
  readonly call: Call | null;
  readonly door: Door;
}

const noBody = Buffer.alloc(0);

/** Relays one request and its reply; whatever happens, the client gets an answer or a cut, never a hang of ours. */
export function relayExchange(options: ExchangeOptions): void {
  new Exchange(options).start();
}

class Exchange implements ReplyHandler {
  readonly #options: ExchangeOptions;
  /** The call that has the exchange now: another one after a try that failed. */
  #call: Call | null;
  #destination: Destination;
  /** What hears the reply first, where a failure is not the client's to get. */
  #try: FallbackTry | null = null;
  #control: ReplyControl | null = null;
  #rewrite: ReplyRewrite | null = null;
  #headSent = false;
  #bodyBegun = false;
  /** Bytes of body still to come as its length says; `null` where nobody will know the last piece by its length. */
  #bytesLeft: number | null = null;
  /** The piece that makes the reply whole, until its call is on record. */
  #lastPiece: Buffer | null = null;
  /** The reply has ended, was cut, or its client is gone: nothing more is told to anybody. */
  #over = false;
  #paused = false;
  /** What a client that is paused has still to take, where its reply goes on for others. */
  readonly #backlog = new Backlog();
  /** The trailers of a reply that has come whole while its client has still to take the rest. */
  #cameTrailers: string[] | null = null;
  /** Who hears the rest of a reply whose client has left. */
  #heir: ReplyHandler | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#call = options.call;
    this.#destination = options.destination;
  }

  start(): void {
    const { client, call } = this.#options;
    client.listen({ onClosed: (reason) => this.#onClientClosed(reason), onDrain: () => this.#resume() });
    takeBody(client.upload, {
      wholeBytes: call?.wholeRequestBytes ?? null,
      onData: (chunk) => call?.onRequestData(chunk),
      onEnd: () => call?.onRequestEnd(),
      onPassed: (chunk) => call?.onRequestPassed(chunk),
      onReady: (body, whole) => this.#send(body, whole),
    });
  }

  #send(body: RequestBody, whole: boolean): void {
    const call = this.#call;
    const read = whole ? (body ?? noBody) : null;
    const rewriting = (Buffer.isBuffer(read) ? call?.rewriteRequest(read) : call?.refuseUnread?.()) ?? null;
    // A call nobody has to be asked about goes on at once.
    if (rewriting instanceof Promise) void rewriting.then((rewritten) => this.#sendRewritten(rewritten, body));
    else this.#sendRewritten(rewriting, body);
  }

  #sendRewritten(rewritten: RewrittenRequest | Answer | null, own: RequestBody): void {
    const { client, path } = this.#options;
    if (rewritten !== null && 'answer' in rewritten) {
      // What comes of an upload that is not read runs out into nothing.
      if (own instanceof Readable) own.destroy();
      const { answer, fallback: next } = rewritten;
      if (!this.#over) answer(next === undefined ? this : this.#openTry(next, own));
      return;
    }
    if (rewritten === null) {
      if (Buffer.isBuffer(own)) this.#call?.onRequestPassed(own);
      const body = Buffer.isBuffer(own) ? keepFraming(client.upload, own) : own;
      return this.#dispatch({ path, rawHeaders: client.rawHeaders, body }, this);
    }
    const { target, fallback } = rewritten;
    if (target !== undefined) this.#destination = { origin: target.origin, serverName: target.origin.host };
    const handler = fallback === undefined ? this : this.#openTry(fallback, own);
    const send = (bytes: Buffer, to: ReplyHandler): void => {
      const rawHeaders = replaceContentLength(target?.rawHeaders ?? client.rawHeaders, bytes.length);
      this.#call?.onRequestPassed(bytes);
      this.#dispatch({ path: rewritten.path, rawHeaders, body: keepFraming(client.upload, bytes) }, to);
    };
    const { body, ifRefused } = rewritten;
    if (ifRefused === null) return send(body, handler);
    const firstTry = new FirstTry(handler, () => {
      this.#call?.onRewriteRefused();
      send(ifRefused, handler);
    });
    send(body, firstTry);
  }

  /** Hears the reply; where it fails before anything has reached the client, the next call takes over. */
  #openTry(fallback: Fallback, own: RequestBody): ReplyHandler {
    this.#try = new FallbackTry(this, {
      call: this.#call,
      origin: this.#destination.origin,
      timeoutMs: fallback.timeoutMs,
      onFailed: (why) => {
        if (this.#over) return;
        const call = fallback.next(why);
        this.#call = call;
        this.#try = null;
        this.#destination = this.#options.destination;
        this.#options.door.count('calls');
        if (Buffer.isBuffer(own)) call.onRequestData(own);
        call.onRequestEnd();
        this.#send(own, true);
      },
    });
    return this.#try;
  }

  #dispatch(sent: Pick<UpstreamRequest, 'path' | 'rawHeaders' | 'body'>, handler: ReplyHandler): void {
    if (this.#over && this.#heir === null) return;
    const { client, upstream } = this.#options;
    const readTrailers = (): RawHeaders => client.upload.readTrailers?.() ?? [];
    const destination = this.#destination;
    upstream.send({ destination, method: client.method, ...sent, readTrailers }, handler);
  }

  onStart(control: ReplyControl): void {
    this.#control = this.#over ? control : (this.#call?.onReplyStart?.(control) ?? control);
    if (this.#heir !== null) this.#heir.onStart(control);
    else if (this.#over) control.abort(new Error('the client went away'));
  }

  onInterim(status: number, rawHeaders: string[]): void {
    if (!this.#over) this.#options.client.writeInterim?.(status, rawHeaders);
  }

  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole = false): void {
    if (this.#over) return this.#heir?.onHead(status, statusMessage, rawHeaders, isWhole);
    const { client } = this.#options;
    const call = this.#call;
    this.#rewrite = call?.onReplyHead(status, rawHeaders) ?? null;
    if (this.#rewrite !== null) this.#rewrite.sink = (bytes) => this.#write(bytes);
    else if (call !== null) this.#bytesLeft = readContentLength(rawHeaders);
    try {
      client.writeHead(status, statusMessage, this.#rewrite?.rawHeaders ?? rawHeaders);
      this.#headSent = true;
    } catch (error) {
      this.#fail('upstream_error', error);
      this.#control?.abort(new Error('the reply cannot be passed on'));
      return;
    }
    if (isWhole) return;
    // The head waits for the body's first piece only as long as that is already here.
    setImmediate(() => {
      if (!this.#bodyBegun && !this.#over && this.#lastPiece === null) client.flushHead();
    });
  }

  onData(chunk: Buffer): void {
    if (this.#over) return this.#heir?.onData(chunk);
    if (this.#bytesLeft !== null) this.#bytesLeft -= chunk.length;
    if (this.#rewrite !== null) this.#rewrite.write(chunk);
    else if (this.#bytesLeft === 0) this.#lastPiece = chunk;
    else this.#write(chunk);
    this.#call?.onReplyData(chunk);
  }

  onEnd(rawTrailers: string[]): void {
    if (this.#over) return this.#heir?.onEnd(rawTrailers);
    if (rawTrailers.length > 0) this.#call?.onReplyTrailers(rawTrailers);
    const ending = this.#rewrite?.end();
    if (ending === undefined) this.#end(rawTrailers);
    else
      void ending.then(
        () => this.#end(rawTrailers),
        (error: unknown) => this.#fail('upstream_aborted', error),
      );
  }

  onError(error: Error): void {
    if (this.#over) return this.#heir?.onError(error);
    if (error instanceof TrackerError && error.code === 'CLIENT_LAGGED') return this.#fail('client_aborted', error);
    this.#fail(this.#headSent ? 'upstream_aborted' : 'upstream_error', error);
  }

  #write(bytes: Buffer): void {
    if (this.#over || bytes.length === 0) return;
    this.#bodyBegun = true;
    const maxLagBytes = this.#paused ? this.#control?.maxLagBytes : undefined;
    if (maxLagBytes !== undefined) {
      this.#backlog.push(bytes);
      if (this.#backlog.bytes > maxLagBytes) this.#cutLagging();
      return;
    }
    if (this.#give(bytes)) return;
    this.#paused = true;
    this.#control?.pause();
  }

  /** Whether there is room for more. */
  #give(bytes: Buffer): boolean {
    this.#call?.onReplyPassed(bytes);
    return this.#options.client.write(bytes);
  }

  #resume(): void {
    if (!this.#paused || this.#over) return;
    let hasRoom = true;
    this.#backlog.flush((bytes) => {
      hasRoom = this.#give(bytes);
      return hasRoom;
    });
    if (!hasRoom) return;
    this.#paused = false;
    if (this.#cameTrailers === null) this.#control?.resume();
    else this.#end(this.#cameTrailers);
  }

  /** Those who share the reply have it from the provider as before. */
  #cutLagging(): void {
    this.#backlog.clear();
    this.#lastPiece = null;
    this.#heir = this.#call?.takeOver?.() ?? null;
    this.#fail('client_aborted', makeLagError());
    if (this.#control !== null) this.#heir?.onStart(this.#control);
  }

  /**
   * A client that has a whole reply may act on it at once, so the call is on record before it can know: the ledger
   * writes at the end of the turn of the loop in which it was told, before whatever was put there later.
   */
  #end(rawTrailers: string[]): void {
    if (this.#over) return;
    const call = this.#call;
    const problem = this.#rewrite?.problem ?? null;
    if (problem !== null) return this.#fail('upstream_aborted', new Error(problem));
    if (call === null) return this.#finish(rawTrailers);
    if (!this.#backlog.isEmpty) {
      this.#cameTrailers = rawTrailers;
      return call.onReplyCame?.();
    }
    if (this.#lastPiece !== null) call.onReplyPassed(this.#lastPiece);
    const recording = call.onReplyEnd();
    const finishAfterTurn = () => void setImmediate(() => this.#finish(rawTrailers));
    if (recording === undefined) finishAfterTurn();
    else void waitAtMost(longestWaitMs, recording).then(finishAfterTurn);
  }

  #finish(rawTrailers: string[]): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.client.end(this.#lastPiece, rawTrailers);
  }

  /** The provider failed: a client still without a head gets a 502, one in mid-reply the same cut. */
  #fail(how: Interruption, error: unknown): void {
    this.#backlog.flush((bytes) => this.#give(bytes) || true);
    this.#over = true;
    const { client } = this.#options;
    const [call, destination] = [this.#call, this.#destination];
    const problem = explainUpstreamError(error, destination.origin, this.#headSent);
    const unread = this.#rewrite === null ? (this.#control?.findUnread?.(error) ?? null) : null;
    const refuse = client.findRefusal(error, unread);
    const answer = this.#headSent || refuse !== undefined ? null : makeFailureReply(problem);
    const last = answer?.body ?? this.#lastPiece;
    if (last !== null) call?.onReplyPassed(last);
    call?.onInterrupted(how, problem);
    if (answer !== null) {
      client.writeHead(502, 'Bad Gateway', answer.rawHeaders);
      client.end(answer.body, []);
    } else if (this.#headSent) {
      if (last !== null) client.write(last);
      client.cut(error, unread);
    } else {
      refuse?.();
    }
    this.#rewrite?.close();
  }

  #onClientClosed(reason = new Error('the client went away')): void {
    if (this.#over) return;
    this.#over = true;
    this.#rewrite?.close();
    // Whoever hears on hears this try, whatever comes of it.
    this.#try?.passOn();
    const call = this.#call;
    const { door } = this.#options;
    this.#heir = call?.takeOver?.() ?? null;
    if (this.#heir === null) this.#control?.abort(reason);
    else if (this.#control !== null) this.#heir.onStart(this.#control);
    call?.onInterrupted('client_aborted', explainLeaving(door, this.#headSent ? 'the reply ended' : 'the reply began'));
  }
}

/** A copy that takes long to decompress must not hold up the reply it is of. */
const longestWaitMs = 200;

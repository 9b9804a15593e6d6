import type { CachedCall, CacheEnd, CacheQuestion } from '../core/call-cache.js';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { CacheEntry, CacheUse, PieceTimes } from '../core/response-cache.js';
import type { ProviderMatch, RawHeaders, ReplyFacts } from '../core/wire.js';
import type { CacheKey } from './key.js';
import { findHeader, pickReplyHeaders } from './reply-headers.js';
import { SharedReply } from './shared-reply.js';
import { findStoringObstacle } from './storable.js';

/** Undoes content codings; what goes wrong becomes `problem`. */
export interface Decoder {
  write(bytes: Uint8Array): void;
  end(): Promise<void> | void;
  readonly problem: string | null;
  close(): void;
}

export interface RecordingPorts {
  readonly openDecoder: (coding: string | null, sink: (bytes: Buffer) => void) => Decoder;
  readonly clockMs: () => number;
  readonly nowMs: () => number;
  readonly put: (entry: CacheEntry) => void;
  /** The reply can be joined no longer, and was kept or not. */
  readonly onOver: () => void;
  /** Why the reply was not kept; `null` when it was. */
  readonly onKept: (reason: string | null) => void;
}

export interface RecordedCall {
  readonly callId: string;
  readonly key: CacheKey;
  readonly question: CacheQuestion;
  readonly match: ProviderMatch;
  readonly use: CacheUse;
  readonly hasSecret: CachedCall['hasSecret'];
}

/** An entry may be so large; what is larger is passed on and not kept. */
const maxEntryBytes = 4 * 1024 * 1024;

/**
 * The reply of the one call that goes to the provider, heard for whoever asked the same meanwhile, and kept when it may be
 * given again.
 */
export class Recording {
  readonly shared = new SharedReply(maxEntryBytes);
  readonly #call: RecordedCall;
  readonly #ports: RecordingPorts;
  readonly #startedMs: number;
  #decoder: Decoder | null = null;
  #status = 0;
  #rawHeaders: RawHeaders = [];
  #headMs = 0;
  #isOver = false;

  constructor(call: RecordedCall, ports: RecordingPorts) {
    this.#call = call;
    this.#ports = ports;
    this.#startedMs = ports.clockMs();
  }

  onHead(status: number, rawHeaders: RawHeaders): void {
    if (this.#isOver) return;
    this.#headMs = this.#ports.clockMs();
    this.#status = status;
    this.#rawHeaders = pickReplyHeaders(rawHeaders, (text) => this.#call.hasSecret(text, null));
    const coding = findHeader(rawHeaders, 'content-encoding');
    this.#decoder = this.#ports.openDecoder(coding, (bytes) =>
      this.shared.push(bytes, this.#ports.clockMs() - this.#headMs),
    );
    // What is no success is nobody else's: it may be about the one who asked.
    if (status !== 200) return this.fail(new Error(`the reply's status is ${status}`));
    const length = findHeader(rawHeaders, 'content-length');
    this.shared.begin(status, this.#rawHeaders, coding === null && length !== null ? Number(length) : null);
  }

  onData(chunk: Buffer): void {
    if (!this.#isOver) this.#decoder?.write(chunk);
  }

  /** The reply cannot be had from this call: whoever waits for it asks for themselves. */
  fail(error: Error): void {
    this.#finish(() => this.shared.fail(error));
  }

  /** The provider has ended the reply. */
  async end(end: CacheEnd): Promise<void> {
    if (this.#isOver) {
      this.#ports.onKept(this.#explainOver());
      return;
    }
    await this.#decoder?.end();
    const reason = this.#findObstacle(end);
    if (reason === null) this.#ports.put(this.#makeEntry(end.latencyMs));
    this.#ports.onKept(reason);
    const isWhole = (end.outcome === 'ok' || end.outcome === 'http_error') && (this.#decoder?.problem ?? null) === null;
    this.#finish(() => (isWhole ? this.shared.end(end.latencyMs) : this.shared.fail(new Error('the reply was cut'))));
  }

  /** Hears the provider to the end in place of a client that left. */
  makeHeir(): ReplyHandler {
    return {
      onStart: (control: ReplyControl) => this.shared.control(control),
      onHead: (status, _statusMessage, rawHeaders) => this.onHead(status, rawHeaders),
      onData: (chunk) => this.onData(chunk),
      onEnd: () => void this.#endAsHeir('ok'),
      onError: () => void this.#endAsHeir('upstream_aborted'),
    };
  }

  async #endAsHeir(outcome: 'ok' | 'upstream_aborted'): Promise<void> {
    try {
      await this.#decoder?.end();
      const latencyMs = this.#ports.clockMs() - this.#startedMs;
      await this.end({ outcome, facts: outcome === 'ok' ? this.#readAgain() : null, latencyMs, error: null });
    } catch {
      this.fail(new Error('the reply could not be kept'));
    }
  }

  /** Who read the reply as it passed has ended with its client: what was held of it is read once more. */
  #readAgain(): ReplyFacts | null {
    const { match, question } = this.#call;
    const { chunks } = this.shared;
    if (chunks === null || this.#status !== 200) return null;
    const contentType = findHeader(this.#rawHeaders, 'content-type');
    const find = (name: string) => findHeader(this.#rawHeaders, name);
    const request = { model: question.model, stream: question.stream, wireSession: null };
    const reader = match.dialect.openReply({ status: this.#status, contentType, findHeader: find }, request);
    for (const { bytes, atMs } of chunks) reader.write(bytes, atMs);
    return reader.end();
  }

  #findObstacle(end: CacheEnd): string | null {
    const { chunks } = this.shared;
    return findStoringObstacle(
      {
        status: this.#status,
        contentType: findHeader(this.#rawHeaders, 'content-type'),
        body: chunks === null ? null : Buffer.concat(chunks.map(({ bytes }) => bytes)),
        problem: this.#decoder?.problem ?? null,
        keepsToolResults: this.#call.use.toolResults === true,
        hasSecret: this.#call.hasSecret,
      },
      end,
    );
  }

  #explainOver(): string {
    if (this.#status === 0 || this.#status === 200) return 'The reply was not kept: it did not come whole.';
    return `The reply was not kept: its status is ${this.#status}.`;
  }

  #makeEntry(latencyMs: number): CacheEntry {
    const { callId, key, question, match, use, hasSecret } = this.#call;
    const model = question.model === null || hasSecret(question.model, null) ? null : question.model;
    const chunks = this.shared.chunks ?? [];
    const nowMs = this.#ports.nowMs();
    return {
      ...{ key: key.key, variant: key.variant, isBound: key.isBound, parts: key.parts() },
      ...{ provider: match.provider, api: match.dialect.api, url: question.url, model },
      ...{ status: this.#status, rawHeaders: this.#rawHeaders, callId, latencyMs },
      pieces: makePieces(chunks),
      body: Buffer.concat(chunks.map(({ bytes }) => bytes)),
      storedAtMs: nowMs,
      expiresAtMs: use.ttlMs === undefined ? null : nowMs + use.ttlMs,
    };
  }

  #finish(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ports.onOver();
    tell();
    this.#decoder?.close();
  }
}

function makePieces(chunks: readonly { readonly bytes: Buffer; readonly atMs: number }[]): PieceTimes {
  return chunks.map(({ bytes, atMs }) => [bytes.length, Math.round(atMs * 1000) / 1000]);
}

import { findHeader, pickReplyHeaders } from '../cache/reply-headers.js';
import type { CachedCall } from '../core/call-cache.js';
import type { RawHeaders } from '../core/wire.js';
import type { RecordedReply } from './interaction.js';
import type { ReplayPorts } from './ports.js';

/** A reply larger than this is passed on and not recorded. */
const maxReplyBytes = 64 * 1024 * 1024;
/** Memory a piece takes besides its bytes, roughly: a reply may come a byte at a time. */
export const pieceBytes = 100;

export type Heard = Omit<RecordedReply, 'rawTrailers' | 'ending' | 'problem'>;

export const emptyReply: Heard = { status: 0, rawHeaders: [], body: Buffer.alloc(0), pieces: [], isStream: false };

/** A reply as it comes, without its content coding. */
export class HeardReply {
  readonly #status: number;
  readonly #rawHeaders: RawHeaders;
  readonly #with: { readonly call: CachedCall; readonly ports: ReplayPorts };
  readonly #decoder: ReturnType<ReplayPorts['openDecoder']>;
  readonly #startedMs: number;
  #pieces: { readonly bytes: Buffer; readonly atMs: number }[] = [];
  #bytes = 0;
  #heldBytes = 0;

  constructor(
    status: number,
    rawHeaders: RawHeaders,
    parts: { readonly call: CachedCall; readonly ports: ReplayPorts },
  ) {
    this.#status = status;
    this.#rawHeaders = rawHeaders;
    this.#with = parts;
    const { clockMs, openDecoder } = parts.ports;
    this.#startedMs = clockMs();
    this.#decoder = openDecoder(findHeader(rawHeaders, 'content-encoding'), (bytes) => this.#keep(bytes));
  }

  write(chunk: Buffer): void {
    if (this.#heldBytes <= maxReplyBytes) this.#decoder.write(chunk);
  }

  /** The reply, or why it cannot be recorded, as a sentence. */
  async end(): Promise<Heard | string> {
    await this.#decoder.end();
    const { problem } = this.#decoder;
    this.#decoder.close();
    if (this.#heldBytes > maxReplyBytes) return `its reply takes more than ${maxReplyBytes} bytes of memory.`;
    if (problem !== null && this.#bytes === 0) return `its reply cannot be read: ${problem}`;
    const { call } = this.#with;
    const contentType = findHeader(this.#rawHeaders, 'content-type');
    const length = findHeader(this.#rawHeaders, 'content-length');
    const body = Buffer.concat(this.#pieces.map(({ bytes }) => bytes));
    const pieces = this.#pieces.map(({ bytes, atMs }): [number, number] => [
      bytes.length,
      Math.round(atMs * 1000) / 1000,
    ]);
    const told = {
      status: this.#status,
      rawHeaders: this.#pickHeaders(),
      isStream: length === null,
      ...(call.head.method === 'HEAD' &&
        length !== null &&
        /^\d{1,15}$/.test(length) && { contentLength: Number(length) }),
    };
    if (!call.hasSecret(body, contentType)) return { ...told, body, pieces };
    const masked = call.redact(body, contentType);
    const text = typeof masked === 'string' ? masked : JSON.stringify(masked);
    if (!isText(contentType)) return 'its reply holds a credential where it cannot be masked.';
    const kept = Buffer.from(text);
    return { ...told, body: kept, pieces: [[kept.length, pieces[0]?.[1] ?? 0]] };
  }

  /** `x-should-retry` says what the client does next, and so belongs to the answer here. */
  #pickHeaders(): string[] {
    const { call } = this.#with;
    const retry = findHeader(this.#rawHeaders, 'x-should-retry');
    const picked = pickReplyHeaders(this.#rawHeaders, (text) => call.hasSecret(text, null));
    return retry === null || call.hasSecret(retry, null) ? picked : [...picked, 'x-should-retry', retry];
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    this.#heldBytes += bytes.length + pieceBytes;
    if (this.#heldBytes > maxReplyBytes) this.#pieces = [];
    else this.#pieces.push({ bytes: Buffer.from(bytes), atMs: this.#with.ports.clockMs() - this.#startedMs });
  }
}

function isText(contentType: string | null): boolean {
  return /json|^text\//i.test(contentType ?? '');
}

import { findHeader, pickReplyHeaders } from '../cache/reply-headers.js';
import type { CachedCall, CacheEnd, CacheQuestion, CallCache, ResponseCache } from '../core/call-cache.js';
import { readErrorMessage } from '../core/errors.js';
import type { RawHeaders } from '../core/wire.js';
import type { Interaction, RecordedReply, ReplyEnding, RequestForm, SocketInteraction } from './interaction.js';
import { type ReplayPorts, readUpload, type SocketPorts } from './ports.js';
import { makeRequestForm } from './request-form.js';
import { SocketRecorder } from './socket-recorder.js';
import type { CassetteSockets } from './sockets.js';

export interface RecorderPorts extends ReplayPorts, SocketPorts {
  readonly add: (interaction: Interaction | SocketInteraction) => void;
  /** A call that is not in the recording, and why. */
  readonly onUnrecorded: (what: string) => void;
}

/** A reply larger than this is passed on and not recorded. */
const maxReplyBytes = 64 * 1024 * 1024;
/** Memory a piece takes besides its bytes, roughly: a reply may come a byte at a time. */
const pieceBytes = 100;

/** Records every call of a session, and answers none. */
export function makeRecorder(
  ports: RecorderPorts,
): Pick<ResponseCache, 'open'> & Required<Pick<CassetteSockets, 'hear'>> {
  let next = 0;
  return {
    open: (call) => new RecordedCall(call, ports, () => next++),
    hear: (asked) => new SocketRecorder(asked, { ...ports, seq: next++ }),
  };
}

class RecordedCall implements CallCache {
  readonly #call: CachedCall;
  readonly #ports: RecorderPorts;
  readonly #takeSeq: () => number;
  #asked: Promise<RequestForm | null> | null = null;
  #seq = 0;
  #reply: HeardReply | null = null;
  #rawTrailers: RawHeaders = [];
  #hasEnded = false;

  constructor(call: CachedCall, ports: RecorderPorts, takeSeq: () => number) {
    this.#call = call;
    this.#ports = ports;
    this.#takeSeq = takeSeq;
  }

  ask(question: CacheQuestion): null {
    this.#seq = this.#takeSeq();
    this.#asked = formRequest(this.#call, question, this.#ports).catch(() => null);
    return null;
  }

  onRefused(): void {
    // What is sent now differs in `stream_options` alone, of which no recording tells.
  }

  onNotSent(): void {
    // The tap's own refusal, which it gives again.
    this.#hasEnded = true;
  }

  refuseUnread(): null {
    return null;
  }

  onReplyHead(status: number, rawHeaders: RawHeaders): void {
    this.#reply = new HeardReply(status, rawHeaders, { call: this.#call, ports: this.#ports });
  }

  onReplyData(chunk: Buffer): void {
    this.#reply?.write(chunk);
  }

  onReplyTrailers(rawTrailers: RawHeaders): void {
    this.#rawTrailers = rawTrailers;
  }

  takeOver(): null {
    return null;
  }

  end(end: CacheEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ports.hold(this.#record(end));
  }

  async #record(end: CacheEnd): Promise<void> {
    try {
      await this.#tryRecord(end);
    } catch (error) {
      const where = `${nameRequest(this.#call)} (call ${this.#call.callId})`;
      this.#ports.onUnrecorded(`${where}: it could not be written (${readErrorMessage(error)}).`);
    }
  }

  async #tryRecord(end: CacheEnd): Promise<void> {
    const { callId } = this.#call;
    const request = await this.#asked;
    const where = nameRequest(this.#call);
    if (request === null) {
      return this.#ports.onUnrecorded(`${where} (call ${callId}): its request was not read whole.`);
    }
    const heard = this.#reply === null ? emptyReply : await this.#reply.end();
    if (typeof heard === 'string') return this.#ports.onUnrecorded(`${where} (call ${callId}): ${heard}`);
    const ending = nameEnding(end, this.#reply !== null);
    const problem = end.error === null ? null : { ...end.error, message: maskText(this.#call, end.error.message) };
    const rawTrailers = maskTrailers(this.#call, this.#rawTrailers);
    const reply: RecordedReply = { ...heard, rawTrailers, ending, problem };
    this.#ports.add({ seq: this.#seq, callId, latencyMs: end.latencyMs, request, reply });
  }
}

type Heard = Omit<RecordedReply, 'rawTrailers' | 'ending' | 'problem'>;

const emptyReply: Heard = { status: 0, rawHeaders: [], body: Buffer.alloc(0), pieces: [], isStream: false };

function nameEnding({ outcome }: CacheEnd, hasBegun: boolean): ReplyEnding {
  if (outcome === 'ok' || outcome === 'http_error') return 'whole';
  if (outcome === 'client_aborted') return 'left';
  return hasBegun ? 'cut' : 'unreached';
}

/** A reply as it comes, without its content coding. */
class HeardReply {
  readonly #status: number;
  readonly #rawHeaders: RawHeaders;
  readonly #with: { readonly call: CachedCall; readonly ports: RecorderPorts };
  readonly #decoder: ReturnType<RecorderPorts['openDecoder']>;
  readonly #startedMs: number;
  #pieces: { readonly bytes: Buffer; readonly atMs: number }[] = [];
  #bytes = 0;
  #heldBytes = 0;

  constructor(
    status: number,
    rawHeaders: RawHeaders,
    parts: { readonly call: CachedCall; readonly ports: RecorderPorts },
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
    const body = Buffer.concat(this.#pieces.map(({ bytes }) => bytes));
    const pieces = this.#pieces.map(({ bytes, atMs }): [number, number] => [
      bytes.length,
      Math.round(atMs * 1000) / 1000,
    ]);
    const told = {
      status: this.#status,
      rawHeaders: this.#pickHeaders(),
      isStream: findHeader(this.#rawHeaders, 'content-length') === null,
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

/** `POST api.openai.com/v1/chat/completions`, for messages. */
export function nameRequest(call: CachedCall): string {
  const { method, origin, path } = call.head;
  return `${method} ${origin.host}${maskText(call, path.split('?')[0] ?? '')}`;
}

function maskText(call: CachedCall, text: string): string {
  const masked = call.redact(text, null);
  return typeof masked === 'string' ? masked : JSON.stringify(masked);
}

/** Those of gRPC say how the call went, and may quote what was asked. */
function maskTrailers(call: CachedCall, rawTrailers: RawHeaders): string[] {
  const masked: string[] = [];
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
    const [name = '', value = ''] = [rawTrailers[i], rawTrailers[i + 1]];
    if (!call.hasSecret(name, null))
      masked.push(name, call.hasSecret(`${name}: ${value}`, null) ? maskText(call, value) : value);
  }
  return masked;
}

/** What a call asks; rejects where its body cannot be read. */
export async function formRequest(call: CachedCall, question: CacheQuestion, ports: ReplayPorts): Promise<RequestForm> {
  const { head, match } = question;
  const contentType = findHeader(head.rawHeaders, 'content-type');
  const body = await readUpload(question.body, findHeader(head.rawHeaders, 'content-encoding'), ports);
  return makeRequestForm({
    ...{ head, match, contentType, body, redactText: (text: string) => maskText(call, text) },
    ...{ path: head.path, stream: question.stream, redact: call.redact },
  });
}

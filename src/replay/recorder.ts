import { findHeader } from '../cache/reply-headers.js';
import type { CachedCall, CacheEnd, CacheQuestion, CallCache, ResponseCache } from '../core/call-cache.js';
import { readErrorMessage } from '../core/errors.js';
import { isGrpc } from '../core/grpc.js';
import type { RawHeaders } from '../core/wire.js';
import { emptyReply, HeardReply, pieceBytes } from './heard-reply.js';
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

/** A call of gRPC that says more is not recorded. */
const maxUploadBytes = 16 * 1024 * 1024;
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
  /** A call of gRPC goes on while it is heard. */
  readonly waitsForRequest: boolean;
  #upload: Buffer[] = [];
  #uploadBytes = 0;

  constructor(call: CachedCall, ports: RecorderPorts, takeSeq: () => number) {
    this.#call = call;
    this.#ports = ports;
    this.#takeSeq = takeSeq;
    this.waitsForRequest = !isGrpc(call.head);
  }

  onRequestData(chunk: Buffer): void {
    if (this.waitsForRequest || this.#uploadBytes > maxUploadBytes) return;
    this.#uploadBytes += chunk.length + pieceBytes;
    this.#upload.push(Buffer.from(chunk));
  }

  onRequestEnd(): void {
    if (this.waitsForRequest || this.#uploadBytes > maxUploadBytes || this.#reply !== null) return;
    const { head, match } = this.#call;
    const body = Buffer.concat(this.#upload.splice(0));
    this.ask({ head, match, body, stream: false, model: null, url: '' });
  }

  ask(question: CacheQuestion): null {
    if (this.#asked !== null) return null;
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
      const isAhead = !this.waitsForRequest && this.#reply !== null;
      const why = isAhead ? 'it was answered before it had said all' : 'its request was not read whole';
      return this.#ports.onUnrecorded(`${where} (call ${callId}): ${why}.`);
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

function nameEnding({ outcome }: CacheEnd, hasBegun: boolean): ReplyEnding {
  if (outcome === 'ok' || outcome === 'http_error') return 'whole';
  if (outcome === 'client_aborted') return 'left';
  return hasBegun ? 'cut' : 'unreached';
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
    // What is binary in a trailer of gRPC's is base64 there (PROTOCOL-HTTP2.md, Custom-Metadata).
    const bytes = /-bin$/i.test(name) ? Buffer.from(value, 'base64').toString('latin1') : '';
    if (!call.hasSecret(name, null) && !call.hasSecret(bytes, null))
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

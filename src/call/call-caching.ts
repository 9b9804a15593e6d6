import type { CacheAnswer, CacheEnd, CallCache, ResponseCache } from '../core/call-cache.js';
import type { ReplyHandler } from '../core/reply.js';
import type { CacheUse } from '../core/response-cache.js';
import type { ProviderMatch, RawHeaders, RequestHead } from '../core/wire.js';
import type { Answer, RewrittenRequest } from './call.js';
import { findHeader } from './headers.js';
import { holdsSecret } from './holds-secret.js';
import { formatUrl } from './make-record.js';
import type { CallPorts } from './ports.js';
import { redactBody, redactText, redactUrl } from './redaction.js';
import { collectSecrets, type SecretSet } from './secrets.js';

/** What a session's calls may use of a cache. */
export interface SessionCaching {
  readonly cache: Pick<ResponseCache, 'open'>;
  /** `null` where only a call's own header asks for it. */
  readonly use: CacheUse | null;
}

interface CachingCall {
  readonly callId: string;
  readonly session: { readonly sessionId: string };
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  readonly caching?: SessionCaching | undefined;
}

/** How an answered call is recorded. */
export interface Cached {
  readonly latencyMs: number | null;
}

interface AskedRequest {
  readonly rewritten: RewrittenRequest | null;
  readonly body: Buffer;
  readonly stream: boolean;
  readonly model: string | null;
}

/** Changes told of a request that was not sent after all. */
const ofSending: ReadonlySet<string> = new Set([
  'request: stream_options.include_usage set',
  'request: x-llmtap-cache removed',
]);

/** The cache in one call; `null` when it has nothing to do with it. Of the call's own header it is told in `changes`. */
export function openCallCaching(ports: CallPorts, call: CachingCall, changes: string[]): CallCaching | null {
  const { caching, head } = call;
  if (findHeader(head.rawHeaders, 'x-llmtap-cache') !== null) changes.push('request: x-llmtap-cache removed');
  if (caching === undefined) return null;
  let secrets: SecretSet | null = null;
  const findSecrets = (): SecretSet => {
    secrets ??= collectSecrets({
      requestHeaders: head.rawHeaders,
      url: formatUrl(head),
      ambient: ports.ambientSecrets,
    });
    return secrets;
  };
  const opened = caching.cache.open({
    ...{ callId: call.callId, sessionId: call.session.sessionId, head, match: call.match, use: caching.use },
    hasSecret: (content, contentType) => holdsSecret(ports.tools, { content, contentType, secrets: findSecrets() }),
    redact: (content, contentType) =>
      typeof content === 'string'
        ? redactText(content, findSecrets())
        : redactBody({ text: content.toString('utf8'), contentType, policy: 'full', secrets: findSecrets() }),
  });
  const url = (path: string): string => redactUrl(formatUrl({ ...head, path }).split('?')[0] ?? '', findSecrets());
  return opened === null ? null : new CallCaching(opened, { head, changes, url });
}

interface CachingParts {
  readonly head: RequestHead;
  readonly changes: string[];
  readonly url: (path: string) => string;
}

/** Asks the cache before the provider, and lets it hear what the provider says. */
export class CallCaching {
  readonly #cache: CallCache;
  readonly #parts: CachingParts;
  #answer: CacheAnswer | null = null;

  constructor(cache: CallCache, parts: CachingParts) {
    this.#cache = cache;
    this.#parts = parts;
  }

  /** Whether the provider is not asked. */
  get isAnswered(): boolean {
    return this.#answer !== null;
  }

  /** `null` for a reply that is the provider's, or an error of the tap's. */
  get cached(): Cached | null {
    return this.#answer === null || this.#answer.how === 'refused'
      ? null
      : { latencyMs: this.#answer.originalLatencyMs() };
  }

  /** The reply to a request that is about to be sent; what is to be sent when the provider has to give it. */
  ask(asked: AskedRequest): Promise<RewrittenRequest | Answer | null> | RewrittenRequest | Answer | null {
    const { rewritten, body, stream, model } = asked;
    const path = rewritten?.path ?? this.#parts.head.path;
    const question = { body: rewritten?.body ?? body, path, stream, model, url: this.#parts.url(path) };
    const answering = this.#cache.ask(question);
    if (answering instanceof Promise) return answering.then((answer) => this.#take(answer) ?? rewritten);
    return this.#take(answering) ?? rewritten;
  }

  /** The request was not read whole. */
  refuseUnread(): Answer | null {
    return this.#take(this.#cache.refuseUnread());
  }

  onRefused(): void {
    this.#cache.onRefused();
  }

  onReplyHead(status: number, rawHeaders: RawHeaders): void {
    if (this.#answer === null) this.#cache.onReplyHead(status, rawHeaders);
  }

  onReplyData(chunk: Buffer): void {
    if (this.#answer === null) this.#cache.onReplyData(chunk);
  }

  onReplyTrailers(rawTrailers: RawHeaders): void {
    if (this.#answer === null) this.#cache.onReplyTrailers?.(rawTrailers);
  }

  takeOver(): ReplyHandler | null {
    return this.#answer === null ? this.#cache.takeOver() : null;
  }

  end(end: CacheEnd): void {
    this.#cache.end(end);
  }

  #take(answer: CacheAnswer | null): Answer | null {
    if (answer === null) return null;
    this.#answer = answer;
    const { changes } = this.#parts;
    const kept = changes.filter((change) => !ofSending.has(change));
    changes.splice(0, changes.length, ...kept, answer.change);
    return { answer: answer.answer };
  }
}

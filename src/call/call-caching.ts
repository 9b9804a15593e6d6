import type { CacheAnswer, CachedCall, CacheEnd, CallCache, ResponseCache } from '../core/call-cache.js';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { CacheUse } from '../core/response-cache.js';
import type { ProviderMatch, RawHeaders, RequestHead } from '../core/wire.js';
import type { Answer, RewrittenRequest } from './call.js';
import { changeUnsent } from './changes.js';
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
  /** Where it would be sent: the client's own destination, or a router's. */
  readonly target: { readonly head: RequestHead; readonly match: ProviderMatch };
}

/** The cache in one call; `null` when it has nothing to do with it. Of the call's own header it is told in `changes`. */
export function openCallCaching(ports: CallPorts, call: CachingCall, changes: string[]): CallCaching | null {
  const { caching, head } = call;
  if (findHeader(head.rawHeaders, 'x-llmtap-cache') !== null) changes.push('request: x-llmtap-cache removed');
  if (caching === undefined) return null;
  const secretsOf = openSecrets(ports, head);
  const opened = caching.cache.open({
    ...{ callId: call.callId, sessionId: call.session.sessionId, head, match: call.match, use: caching.use },
    ...makeMasking(ports, () => secretsOf.find()),
  });
  const url = (target: RequestHead): string => {
    secretsOf.send(target);
    return redactUrl(formatUrl(target).split('?')[0] ?? '', secretsOf.find());
  };
  return opened === null ? null : new CallCaching(opened, { changes, url });
}

/** What tells credentials of a call apart, and takes them out. */
export function makeMasking(
  { tools }: CallPorts,
  findSecrets: () => SecretSet,
): Pick<CachedCall, 'hasSecret' | 'redact'> {
  return {
    hasSecret: (content, contentType) => holdsSecret(tools, { content, contentType, secrets: findSecrets() }),
    redact: (content, contentType) =>
      typeof content === 'string'
        ? redactText(content, findSecrets())
        : redactBody({ text: content.toString('utf8'), contentType, policy: 'full', secrets: findSecrets() }),
  };
}

/** As `makeMasking`, for a request that goes where it is asked. */
export function maskRequest(ports: CallPorts, head: RequestHead): Pick<CachedCall, 'hasSecret' | 'redact'> {
  const secrets = openSecrets(ports, head);
  return makeMasking(ports, () => secrets.find());
}

/** The secrets of one call, collected when they are asked for: its client's, and those it is sent with. */
function openSecrets({ ambientSecrets }: CallPorts, head: RequestHead) {
  let sent: RequestHead = head;
  let secrets: SecretSet | null = null;
  return {
    send(target: RequestHead): void {
      if (target.rawHeaders === sent.rawHeaders) return;
      sent = target;
      secrets = null;
    },
    find(): SecretSet {
      const requestHeaders = sent === head ? head.rawHeaders : [...head.rawHeaders, ...sent.rawHeaders];
      secrets ??= collectSecrets({ requestHeaders, url: formatUrl(head), ambient: ambientSecrets });
      return secrets;
    },
  };
}

interface CachingParts {
  readonly changes: string[];
  readonly url: (head: RequestHead) => string;
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

  /** Whether the request is to be read whole, and `ask` asked. */
  get waitsForRequest(): boolean {
    return this.#cache.waitsForRequest ?? true;
  }

  /** Whether the provider is not asked. */
  get isAnswered(): boolean {
    return this.#answer !== null;
  }

  /** Whether the tap answered by an error of its own, for the cache alone was to be asked. */
  get isRefused(): boolean {
    return this.#answer?.how === 'refused';
  }

  /** `null` for a reply that is the provider's, or an error of the tap's. */
  get cached(): Cached | null {
    return this.#answer === null || this.#answer.how === 'refused'
      ? null
      : { latencyMs: this.#answer.originalLatencyMs() };
  }

  /** The reply to a request that is about to be sent; `null` when the provider has to give it. */
  ask({ rewritten, body, stream, model, target }: AskedRequest): Promise<Answer | null> | Answer | null {
    const head = { ...target.head, path: rewritten?.path ?? target.head.path };
    const url = this.#parts.url(head);
    const answering = this.#cache.ask({
      ...{ body: rewritten?.body ?? body, head, match: target.match, stream, model, url },
    });
    return answering instanceof Promise ? answering.then((answer) => this.#take(answer)) : this.#take(answering);
  }

  onRequestData(chunk: Buffer): void {
    this.#cache.onRequestData?.(chunk);
  }

  onRequestEnd(): void {
    this.#cache.onRequestEnd?.();
  }

  /** The request the cache was asked for is sent to nobody. */
  onNotSent(reason: string): void {
    this.#cache.onNotSent(reason);
  }

  /** The request was not read whole. */
  refuseUnread(): Answer | null {
    return this.#take(this.#cache.refuseUnread());
  }

  onRefused(): void {
    this.#cache.onRefused();
  }

  onReplyStart(control: ReplyControl): ReplyControl {
    return this.#answer === null ? (this.#cache.onReplyStart?.(control) ?? control) : control;
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
    changeUnsent(this.#parts.changes, answer.change);
    return { answer: answer.answer };
  }
}

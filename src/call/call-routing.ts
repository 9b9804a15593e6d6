import type { JsonValue } from '../core/call-record.js';
import type { ModelRequest, ProviderMatch, RequestHead } from '../core/wire.js';
import type { CallOptions } from './handle-call.js';
import { findHeader } from './headers.js';
import { formatUrl } from './make-record.js';
import type { CallPorts, WireTools } from './ports.js';
import { collectSecrets, type SecretSet } from './secrets.js';
import type { RoutingObstacle, SessionRouter } from './session-router.js';

/** A request with the model the router chose in it, by the name the dialect reads there. */
export interface RoutedRequest extends ModelRequest {
  readonly model: string;
}

interface CallRoutingOptions {
  readonly router: SessionRouter;
  readonly tools: WireTools;
  readonly sessionId: string;
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  readonly ambientSecrets: readonly string[];
  readonly maxBytes: number;
}

/** `null` when no router is to be asked. Bodies over `maxBytes` are not read whole, and so not routed. */
export function openCallRouting(ports: CallPorts, call: CallOptions, maxBytes: number): CallRouting | null {
  const { session, head, match, router } = call;
  if (router === undefined) return null;
  return new CallRouting({
    router,
    tools: ports.tools,
    ambientSecrets: ports.ambientSecrets,
    sessionId: session.sessionId,
    head,
    match,
    maxBytes,
  });
}

/** The routing of one call: asks the session's router, and puts its answer where the dialect keeps the model. */
export class CallRouting {
  readonly #options: CallRoutingOptions;
  readonly #abort = new AbortController();
  readonly #obstacle: RoutingObstacle | null;

  constructor(options: CallRoutingOptions) {
    this.#options = options;
    this.#obstacle = findObstacle(options);
  }

  /** Whether the request has to be read whole, for nothing in its head keeps it from being routed. */
  get needsBody(): boolean {
    return this.#obstacle === null;
  }

  /** `null` for as asked. Rejects only when a dialect throws. */
  async route(body: Buffer, requestedModel: string): Promise<RoutedRequest | null> {
    const { router, tools, sessionId, head, match } = this.#options;
    const reading = tools.readWholeJson(body);
    if (!reading.ok) {
      router.tellObstacle({ kind: 'unreadable', why: `its body could not be read: ${trimEnd(reading.problem)}` });
      return null;
    }
    const { provider, dialect } = match;
    const request = reading.value;
    const question = { sessionId, provider, api: dialect.api, requestedModel, request };
    const answer = await router.choose(question, this.#abort.signal, () => this.#findSecrets());
    if (answer === null) return null;
    const named: JsonValue = { model: answer };
    const routed = dialect.withModel?.({ body, path: head.path }, answer);
    if (routed === undefined) {
      const why = `the model its router chose (${JSON.stringify(answer)}) cannot stand where ${dialect.api} names it`;
      router.tellObstacle({ kind: `unfit ${dialect.api}`, why });
      return null;
    }
    const model = dialect.readRequest(named, routed.path).model ?? answer;
    return model === requestedModel ? null : { ...routed, model };
  }

  #findSecrets(): SecretSet {
    const { head, ambientSecrets } = this.#options;
    return collectSecrets({ requestHeaders: head.rawHeaders, url: formatUrl(head), ambient: ambientSecrets });
  }

  /** The call is over: no answer is waited for any more, and what kept it from being routed is told. */
  close(end: { readonly model: string | null; readonly bytes: number }): void {
    this.#abort.abort();
    const { router, maxBytes } = this.#options;
    if (end.model === null) return;
    if (this.#obstacle !== null) router.tellObstacle(this.#obstacle);
    else if (end.bytes > maxBytes) {
      router.tellObstacle({ kind: 'large', why: `its body has more than ${maxBytes} bytes` });
    }
  }
}

/** What the head of a request says against routing it. */
function findObstacle({ head, match }: CallRoutingOptions): RoutingObstacle | null {
  const { rawHeaders } = head;
  const coding = findHeader(rawHeaders, 'content-encoding');
  if (coding !== null) return { kind: 'coded', why: 'its body is compressed' };
  // Whoever says by a key that a body is the same as before must send the same, and a router may choose anew.
  if (findHeader(rawHeaders, 'idempotency-key') !== null) return { kind: 'keyed', why: 'it has an Idempotency-Key' };
  if (isSigned(head))
    return { kind: 'signed', why: 'it is signed, path and body, and would be refused with another model' };
  if (match.dialect.withModel !== undefined) return null;
  const { api } = match.dialect;
  return { kind: `fixed ${api}`, why: `nothing is known of where ${api} names its model` };
}

/**
 * Whether AWS's Signature Version 4 (or 4A) is on the request, in its header or its query. Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html (read 2026-11-27).
 */
function isSigned({ rawHeaders, path }: RequestHead): boolean {
  return (findHeader(rawHeaders, 'authorization')?.startsWith('AWS4-') ?? false) || /[?&]X-Amz-Signature=/i.test(path);
}

function trimEnd(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

import type { JsonValue } from '../core/call-record.js';
import type { Crossing } from '../core/crossing.js';
import { makeDecision } from '../core/route-answer.js';
import type { RouteDecision } from '../core/routing.js';
import type { ApiAddress, ModelRequest, ProviderMatch, RequestHead } from '../core/wire.js';
import type { CallOptions } from './handle-call.js';
import { findHeader } from './headers.js';
import { formatUrl } from './make-record.js';
import type { CallPorts, WireTools } from './ports.js';
import { relogin, retarget } from './retarget.js';
import { collectSecrets, type SecretSet } from './secrets.js';
import type { RoutingObstacle, SessionRouter } from './session-router.js';

/** A request as a router has it sent. */
export interface RoutedCall extends ModelRequest {
  /** By the name the dialect reads in the request. */
  readonly model: string;
  /** Who is asked, and how: another provider, or with another key; `null` for as the client has it. */
  readonly target: RouteTarget | null;
  /** What was changed of the request besides, in the words of the record's `changes`. */
  readonly changes: readonly string[];
  /** What to try where this try fails; empty for nothing. */
  readonly rest: readonly RouteDecision[];
  readonly timeoutMs: number | null;
}

interface RouteTarget {
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  /** Where its replies have another form than the client expects; `null` where they have not. */
  readonly crossing: Crossing | null;
}

/** A request as a router is asked about it. */
interface RoutedRequest {
  readonly body: Buffer;
  readonly requestedModel: string;
  readonly stream: boolean;
}

interface CallRoutingOptions {
  readonly router: SessionRouter;
  readonly tools: WireTools;
  readonly findAddress: CallPorts['findAddress'];
  readonly sessionId: string;
  readonly head: RequestHead;
  readonly match: ProviderMatch;
  readonly ambientSecrets: readonly string[];
  readonly maxBytes: number;
  /** What was decided already, where a try before this one failed. */
  readonly decisions: readonly RouteDecision[] | null;
}

/** `null` when no router is to be asked. Bodies over `maxBytes` are not read whole, and so not routed. */
export function openCallRouting(ports: CallPorts, call: CallOptions, maxBytes: number): CallRouting | null {
  const { session, head, match, router } = call;
  if (router === undefined) return null;
  return new CallRouting({
    router,
    tools: ports.tools,
    findAddress: ports.findAddress,
    ambientSecrets: ports.ambientSecrets,
    sessionId: session.sessionId,
    head,
    match,
    maxBytes,
    decisions: call.retry?.decisions ?? null,
  });
}

/** The routing of one call: asks the session's router, and puts its answer where the dialect keeps the model. */
export class CallRouting {
  readonly #options: CallRoutingOptions;
  /** Of a question that is waited for. */
  #abort: AbortController | null = null;
  #isClosed = false;
  readonly #obstacle: RoutingObstacle | null;

  constructor(options: CallRoutingOptions) {
    this.#options = options;
    this.#obstacle = findObstacle(options);
  }

  /** Whether the request has to be read whole, for nothing in its head keeps it from being routed. */
  get needsBody(): boolean {
    return this.#obstacle === null;
  }

  /** `null` for as asked. A promise only where a router of the user's has to be asked. Fails only when a dialect throws. */
  route(request: RoutedRequest): Promise<RoutedCall | null> | RoutedCall | null {
    const decisions = this.#options.decisions ?? this.#ask(request);
    return decisions instanceof Promise
      ? decisions.then((decided) => this.#applyFirst(decided, request))
      : this.#applyFirst(decisions, request);
  }

  #applyFirst(decisions: readonly RouteDecision[], request: RoutedRequest): RoutedCall | null {
    for (const [i, decision] of decisions.entries()) {
      const routed = this.#apply(decision, request);
      // What cannot be sent is no try.
      if (routed === null) continue;
      const rest = decisions.slice(i + 1);
      const isAsAsked = routed.model === request.requestedModel && routed.target === null;
      return isAsAsked && rest.length === 0 ? null : { ...routed, rest, timeoutMs: decision.timeoutMs ?? null };
    }
    return null;
  }

  /** What is to be tried, in order; nothing for as asked. */
  #ask({ body, requestedModel }: RoutedRequest): Promise<readonly RouteDecision[]> | readonly RouteDecision[] {
    const { router, tools, sessionId, match } = this.#options;
    const reading = router.readsRequest ? tools.readWholeJson(body) : unread;
    if (!reading.ok) {
      router.tellObstacle({ kind: 'unreadable', why: `its body could not be read: ${trimEnd(reading.problem)}` });
      return [];
    }
    const { provider, dialect } = match;
    const question = { sessionId, provider, api: dialect.api, requestedModel, request: reading.value };
    const decision = router.answer(question);
    if (decision !== undefined) return listTries(decision);
    this.#abort = new AbortController();
    if (this.#isClosed) this.#abort.abort();
    return router.choose(question, this.#abort.signal, () => this.#findSecrets()).then(listTries);
  }

  #apply(decision: RouteDecision, { body, stream }: RoutedRequest): Omit<RoutedCall, 'rest' | 'timeoutMs'> | null {
    const { model: chosen, apiKey = null } = decision;
    const { router, head, match } = this.#options;
    const address = this.#findAddress(decision, stream);
    if (address === undefined) return null;
    if (address?.crossing !== undefined) return this.#cross(decision, { ...address, crossing: address.crossing }, body);
    const target = address === null ? this.#relogin(apiKey) : { ...this.#retarget(address, apiKey), crossing: null };
    const { dialect } = target?.match ?? match;
    const path = target?.head.path ?? head.path;
    const routed = dialect.withModel?.({ body, path }, chosen);
    if (routed === undefined) {
      const why = `the model its router chose (${JSON.stringify(chosen)}) cannot stand where ${dialect.api} names it`;
      router.tellObstacle({ kind: `unfit ${dialect.api}`, why });
      return null;
    }
    const named: JsonValue = { model: chosen };
    const model = dialect.readRequest(named, routed.path).model ?? chosen;
    return { ...routed, model, target, changes: [] };
  }

  /** The request in the form that the address has for it; `null` where it has none, which is then told. */
  #cross(
    { model, apiKey }: RouteDecision,
    address: ApiAddress & { readonly crossing: Crossing },
    body: Buffer,
  ): Omit<RoutedCall, 'rest' | 'timeoutMs'> | null {
    const { router, head, match } = this.#options;
    const { crossing } = address;
    const crossed = crossing.makeRequest({ body, rawHeaders: head.rawHeaders });
    const { provider } = address.match;
    if ('problem' in crossed) {
      const why = `it cannot be put in the form of ${provider}: ${crossed.problem}`;
      router.tellObstacle({ kind: `unfit ${provider} ${match.dialect.api}`, why });
      return null;
    }
    const target = { ...this.#retarget(address, apiKey ?? null, crossed.rawHeaders), crossing };
    return { body: crossed.body, path: target.head.path, model, target, changes: crossed.changes };
  }

  /** `null` for where the client sends it; `undefined` where it cannot go, which is then told. */
  #findAddress({ model, provider, region, project }: RouteDecision, stream: boolean): ApiAddress | null | undefined {
    const { router, match, findAddress } = this.#options;
    if (provider === undefined || provider === match.provider) return null;
    const address = findAddress(provider, { dialect: match.dialect, model, stream, region, project });
    if (!('problem' in address)) return address;
    const why = `its router chose the provider ${JSON.stringify(provider)}: ${address.problem}`;
    router.tellObstacle({ kind: `elsewhere ${provider} ${match.dialect.api}`, why });
    return undefined;
  }

  #relogin(apiKey: string | null): RouteTarget | null {
    const { head, match } = this.#options;
    return apiKey === null ? null : { head: relogin(head, match, apiKey), match, crossing: null };
  }

  #retarget(address: ApiAddress, apiKey: string | null, rawHeaders = this.#options.head.rawHeaders) {
    return { head: retarget({ head: { ...this.#options.head, rawHeaders }, address, apiKey }), match: address.match };
  }

  #findSecrets(): SecretSet {
    const { head, ambientSecrets } = this.#options;
    return collectSecrets({ requestHeaders: head.rawHeaders, url: formatUrl(head), ambient: ambientSecrets });
  }

  /** The call is over: no answer is waited for any more, and what kept it from being routed is told. */
  close(end: { readonly model: string | null; readonly bytes: number }): void {
    this.#isClosed = true;
    this.#abort?.abort();
    const { router, maxBytes } = this.#options;
    if (end.model === null) return;
    if (this.#obstacle !== null) router.tellObstacle(this.#obstacle);
    else if (end.bytes > maxBytes) {
      router.tellObstacle({ kind: 'large', why: `its body has more than ${maxBytes} bytes` });
    }
  }
}

function listTries(decision: RouteDecision | null): readonly RouteDecision[] {
  if (decision === null) return [];
  const { fallbacks = [], timeoutMs } = decision;
  const timed = timeoutMs === undefined ? {} : { timeoutMs };
  return [decision, ...fallbacks.map((choice) => ({ ...timed, ...makeDecision(choice) }))];
}

/** For a router that does not look at the request. */
const unread = { ok: true, value: null } as const;

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

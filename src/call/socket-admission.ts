import { makeDecision } from '../core/route-answer.js';
import type { RouteDecision } from '../core/routing.js';
import type { SocketAsk, SocketMatch, SocketMessage } from '../core/socket.js';
import { unknownUsage } from '../core/usage.js';
import type { RequestHead } from '../core/wire.js';
import type { CallBudget, Reservation } from './budget.js';
import { formatUrl } from './make-record.js';
import type { CallPorts } from './ports.js';
import { readRequestSize } from './request-size.js';
import { collectSecrets } from './secrets.js';
import type { SessionRouter } from './session-router.js';

export interface AdmissionOptions {
  readonly sessionId: string;
  readonly head: RequestHead;
  readonly match: SocketMatch;
  readonly budget: CallBudget | undefined;
  readonly router: SessionRouter | undefined;
}

/** A message as a router has it sent. */
export interface RoutedMessage {
  readonly model: string;
  readonly bytes: Buffer;
}

/** The model of a socket's calls, as its client asked for it and as a router has it. */
export interface SocketRoute {
  readonly asked: string;
  readonly model: string;
}

/** Asks a session's router and budget about what the client of a WebSocket asks for. */
export class SocketAdmission {
  readonly #ports: CallPorts;
  readonly #options: AdmissionOptions;
  readonly #abort = new AbortController();
  /** The model of calls whose own message names none, where a router chose it. */
  #routed: SocketRoute | null = null;

  constructor(ports: CallPorts, options: AdmissionOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** By the path, or the message that names it for those to come. */
  get routed(): SocketRoute | null {
    return this.#routed;
  }

  /** `null` for as asked. A promise only where a router of the user's has to be asked. Fails only when the dialect throws. */
  route({ bytes }: SocketMessage, ask: SocketAsk): Promise<RoutedMessage | null> | RoutedMessage | null {
    const { router } = this.#options;
    const { model, withModel } = ask;
    if (router === undefined || model === null || withModel === undefined) return null;
    return this.#choose(model, bytes, (chosen) => {
      const routed = withModel(chosen);
      if (routed !== undefined) {
        if (ask.call === null) this.#routed = { asked: model, model: chosen };
        return { model: chosen, bytes: routed };
      }
      const { api } = this.#options.match.dialect;
      const why = `the model its router chose (${JSON.stringify(chosen)}) cannot stand where ${api} names it`;
      router.tellObstacle({ kind: `unfit ${api}`, why });
      return null;
    });
  }

  /** The path to ask for, where it names the model of all calls; `null` for as asked. Fails only when the dialect throws. */
  routePath(): Promise<RoutedPath | null> | RoutedPath | null {
    const { router, head, match } = this.#options;
    const { dialect } = match;
    const model = dialect.findModel?.(head.path) ?? null;
    if (router === undefined || model === null) return null;
    return this.#choose(model, null, (chosen) => {
      const path = dialect.withModel?.(head.path, chosen);
      if (path === undefined) return null;
      this.#routed = { asked: model, model: chosen };
      return { model: chosen, path };
    });
  }

  /** Keeps room for a call; where there is none, the sentence its client is told. `null` where nobody counts. */
  reserve(
    { bytes }: SocketMessage,
    ask: SocketAsk,
    routed: RoutedMessage | null,
  ): Reservation | { readonly refusal: string } | null {
    const { budget, head, match } = this.#options;
    if (budget === undefined) return null;
    // Where the message does not name it, the socket was routed.
    const model = routed?.model ?? (ask.withModel === undefined ? this.#routed?.model : null) ?? ask.model;
    const reading = this.#ports.tools.readWholeJson(bytes);
    const size = readRequestSize(reading.ok ? reading.value : null);
    return budget.reserve({
      ...size,
      price: (inputTokens, outputTokens) =>
        this.#ports.price({
          provider: match.provider,
          url: formatUrl(head).split('?')[0] ?? '',
          models: model === null ? [] : [model],
          usage: { ...unknownUsage, inputTokens, outputTokens },
          usageDetails: null,
          serviceTier: null,
          startedAt: this.#ports.clock.nowIso(),
          cached: false,
          reportedUsd: null,
        }).usd,
    });
  }

  /** The socket is over: no answer is waited for any more. */
  close(): void {
    this.#abort.abort();
  }

  #choose<T>(
    requestedModel: string,
    bytes: Buffer | null,
    apply: (model: string) => T | null,
  ): Promise<T | null> | T | null {
    const { router, sessionId, match, head } = this.#options;
    if (router === undefined) return null;
    const reading = bytes === null || !router.readsRequest ? noRequest : this.#ports.tools.readWholeJson(bytes);
    if (!reading.ok) return null;
    const { provider, dialect } = match;
    const question = { sessionId, provider, api: dialect.api, requestedModel, request: reading.value };
    const use = (decision: RouteDecision | null): T | null => {
      const model = decision === null ? null : this.#findModel(decision);
      return model === null || model === requestedModel ? null : apply(model);
    };
    const decision = router.answer(question);
    if (decision !== undefined) return use(decision);
    const secrets = () =>
      collectSecrets({ requestHeaders: head.rawHeaders, url: formatUrl(head), ambient: this.#ports.ambientSecrets });
    return router.choose(question, this.#abort.signal, secrets).then(use, () => null);
  }

  /** The first choice that can be had on a socket, which is open and logged in. */
  #findModel(decision: RouteDecision): string | null {
    const { router, match } = this.#options;
    for (const { model, provider, apiKey } of [decision, ...(decision.fallbacks ?? []).map(makeDecision)]) {
      if ((provider === undefined || provider === match.provider) && apiKey === undefined) return model;
      const why = 'its WebSocket is open: it cannot go to another provider, or with another key';
      router?.tellObstacle({ kind: 'socket elsewhere', why });
    }
    return null;
  }
}

interface RoutedPath {
  readonly model: string;
  readonly path: string;
}

/** For a router that does not look at the request, and where there is none yet. */
const noRequest = { ok: true, value: null } as const;

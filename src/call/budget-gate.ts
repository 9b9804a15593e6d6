import type { CallRecord } from '../core/call-record.js';
import { unknownUsage } from '../core/usage.js';
import type { ProviderMatch, RequestHead } from '../core/wire.js';
import type { CallBudget, Claim, Reservation } from './budget.js';
import type { Answer } from './call.js';
import { answerWithRefusal, type CallRefusal, makeBudgetRefusal } from './call-refusal.js';
import type { CallOptions } from './handle-call.js';
import { findHeader } from './headers.js';
import { formatUrl } from './make-record.js';
import type { CallPorts } from './ports.js';
import type { RequestReading } from './request-reading.js';
import { readRequestSize } from './request-size.js';

/** Up to so many bytes the reading of a request leaves nothing out. */
const smallBytes = 64 * 1024;

export interface GateOptions {
  readonly budget: CallBudget;
  readonly call: CallOptions;
  readonly request: RequestReading;
  readonly startedAt: string;
}

/** What a call is about to be sent as. */
export interface Departure {
  /** `null` when it was not read whole. */
  readonly body: Buffer | null;
  readonly model: string | null;
  readonly target: { readonly head: RequestHead; readonly match: ProviderMatch };
}

/** The one place a call of a budgeted session passes before it goes out. */
export class BudgetGate {
  readonly #ports: CallPorts;
  readonly #options: GateOptions;
  #reservation: Reservation | null = null;
  #refusal: CallRefusal | null = null;

  constructor(ports: CallPorts, options: GateOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Why the call was refused; `null` when it was not. */
  get refusal(): CallRefusal | null {
    return this.#refusal;
  }

  /** Keeps room for the call; where there is none, gives the refusal that answers it in the provider's place. */
  pass(departure: Departure): Answer | null {
    const { budget, call } = this.#options;
    const reservation = budget.reserve(this.#makeClaim(departure));
    if (!('refusal' in reservation)) {
      this.#reservation = reservation;
      return null;
    }
    this.#refusal = makeBudgetRefusal(reservation.refusal);
    const { head, match } = call;
    const refused = { provider: match.provider, api: match.dialect.api, path: head.path };
    return answerWithRefusal(this.#ports.tools.makeRefusal(refused, this.#refusal.message));
  }

  settle(record: CallRecord): void {
    this.#reservation?.settle(record);
  }

  /** The call is over: what was kept for it counts, unless its record was settled for. */
  close(): void {
    this.#reservation?.forfeit();
  }

  #makeClaim({ body, model, target }: Departure): Claim {
    const { startedAt } = this.#options;
    const size = this.#measure(body);
    const { head, match } = target;
    return {
      inputTokens: size?.inputTokens ?? 0,
      maxOutputTokens: size?.maxOutputTokens ?? null,
      price: (inputTokens, outputTokens) =>
        this.#ports.price({
          provider: match.provider,
          url: formatUrl(head).split('?')[0] ?? '',
          models: model === null ? [] : [model],
          usage: { ...unknownUsage, inputTokens, outputTokens },
          usageDetails: null,
          serviceTier: null,
          startedAt,
          cached: false,
          reportedUsd: null,
        }).usd,
    };
  }

  #measure(body: Buffer | null) {
    const { call, request } = this.#options;
    const isShortened = body !== null && body.length > smallBytes;
    if (!isShortened || findHeader(call.head.rawHeaders, 'content-encoding') !== null) return request.size;
    const whole = this.#ports.tools.readWholeJson(body);
    return whole.ok ? readRequestSize(whole.value) : request.size;
  }
}

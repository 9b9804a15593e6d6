import { freezeDeeply } from '../core/freeze-deeply.js';
import type { RunVerdict, SessionOptions } from '../core/host.js';
import type { LinkedSession } from '../core/link.js';
import type { DoorAddress } from '../core/scope.js';
import type { Session, SessionCounts } from '../core/session.js';
import type { OpenedFacts, RequestName, Requests } from './messages.js';

export type Ask = <Name extends RequestName>(
  name: Name,
  asked: Requests[Name]['asked'],
) => Promise<Requests[Name]['answer']>;

/** A session on the thread, as it is now: a thread that died and came back may have given it another port. */
export class ThreadSession implements LinkedSession {
  readonly session: Session;
  readonly #options: SessionOptions;
  readonly #ask: Ask;
  readonly #onClosed: () => void;
  #facts: OpenedFacts;
  #isClosed = false;
  #isLost = false;
  /** Once it is closed. */
  #lastCounts: SessionCounts | null = null;

  constructor(
    facts: OpenedFacts,
    parts: { readonly options: SessionOptions; readonly ask: Ask; readonly onClosed: () => void },
  ) {
    this.#facts = facts;
    this.#options = parts.options;
    this.#ask = parts.ask;
    this.#onClosed = parts.onClosed;
    this.session = freezeDeeply(facts.session);
  }

  get door(): DoorAddress {
    const { port, credentials } = this.#facts;
    const authorization = credentials === null ? null : `Basic ${Buffer.from(credentials).toString('base64')}`;
    return { host: this.#options.bindAddress ?? '127.0.0.1', port, authorization };
  }

  get proxyUrl(): string {
    const { port, credentials } = this.#facts;
    const { host } = this.door;
    return `http://${credentials === null ? '' : `${credentials}@`}${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** How it is opened again. */
  get restoring(): SessionOptions {
    return { ...this.#options, restore: this.#facts };
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  lose(): void {
    this.#isLost = true;
  }

  moveTo(facts: OpenedFacts): void {
    this.#facts = facts;
  }

  async counts(): Promise<SessionCounts> {
    return this.#lastCounts ?? (await this.#ask('countSession', { sessionId: this.session.sessionId }));
  }

  async close(end: { readonly drain?: boolean; readonly verdict?: RunVerdict | null } = {}): Promise<void> {
    if (this.#isClosed) return;
    const { drain = false, verdict = null } = end;
    const counts = await this.#ask('closeSession', { sessionId: this.session.sessionId, drain, verdict });
    this.#isClosed = true;
    this.#lastCounts ??= counts;
    this.#onClosed();
  }
}

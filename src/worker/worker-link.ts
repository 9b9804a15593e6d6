import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { CallRecord } from '../core/call-record.js';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { EventListener, Fault } from '../core/events.js';
import { HeldEvents } from '../core/held-events.js';
import type { SessionOptions } from '../core/host.js';
import type { RunRow } from '../core/ledger.js';
import type { HostFacts, HostLink, LinkedSession, RecordFilter } from '../core/link.js';
import type { TrackerSummary } from '../core/tracker-summary.js';
import type { UsageSum } from '../core/usage-sum.js';
import type { ProviderRegistration } from '../core/wire.js';
import { type Ask, ThreadSession } from './linked-session.js';
import type { FromThread } from './messages.js';
import { type AskNow, ThreadLife, type ThreadLifeOptions } from './thread-life.js';

const bundleDeadlineMs = 5000;

/**
 * Opens a host in a thread of this process. Rejects as `openHost` does, with `HOME_UNUSABLE`, and leaves no thread then.
 *
 * @param url of the compiled `entry`
 */
export async function openWorkerLink(options: ThreadLifeOptions, url: URL): Promise<HostLink> {
  const link = new WorkerLink(options, url);
  await link.open();
  return link;
}

class WorkerLink implements HostLink {
  readonly #options: ThreadLifeOptions;
  readonly #life: ThreadLife;
  readonly #events = new HeldEvents((error) => {
    this.noteListenerError(`An event listener threw: ${readErrorMessage(error)}.`);
  });
  readonly #sessions = new Set<ThreadSession>();
  readonly #providers = new Map<string, ProviderRegistration>();
  readonly #bundles = new Map<string, string>();
  #facts: HostFacts | null = null;

  constructor(options: ThreadLifeOptions, url: URL) {
    this.#options = options;
    for (const registration of options.providers ?? []) this.#providers.set(registration.name, registration);
    this.#life = new ThreadLife(options, {
      url,
      onEvent: ({ event }) => this.#events.announce(event),
      onQuestion: (message) => void this.#askRouter(message),
      providers: () => [...this.#providers.values()],
      restore: async (ask) => await this.#restore(ask),
      onFault: (fault) => this.noteFault(fault),
    });
  }

  async open(): Promise<void> {
    this.#facts = await this.#life.open();
  }

  get facts(): HostFacts {
    if (this.#facts === null) throw new TrackerError('INTERNAL', 'The link is not open yet.');
    return this.#facts;
  }

  get state(): HostLink['state'] {
    return this.#life.state;
  }

  async whenSettled(): Promise<void> {
    await this.#life.whenSettled();
  }

  async openSession(options: SessionOptions = {}): Promise<LinkedSession> {
    const facts = await this.#ask('openSession', options);
    const session = new ThreadSession(facts, {
      options,
      ask: this.#ask,
      onClosed: () => void this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  async registerProvider(registration: ProviderRegistration): Promise<void> {
    await this.#ask('registerProvider', registration);
    this.#providers.set(registration.name, registration);
  }

  bundleFor(userFile: string | undefined): string {
    const { bundlePath } = this.facts;
    if (userFile === undefined || userFile === '') return bundlePath;
    const known = this.#bundles.get(userFile);
    if (known !== undefined || this.state !== 'serving') return known ?? bundlePath;
    const { port1, port2 } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    this.#life.post({ kind: 'bundle', file: userFile, port: port2, signal });
    Atomics.wait(signal, 0, 0, bundleDeadlineMs);
    const answer = receiveMessageOnPort(port1) as { readonly message: string } | undefined;
    port1.close();
    if (answer === undefined) return bundlePath;
    this.#bundles.set(userFile, answer.message);
    return answer.message;
  }

  onEvent(listener: EventListener): () => void {
    return this.#events.onEvent(listener);
  }

  async records(
    filter: RecordFilter,
    options: { readonly limit?: number; readonly bodies?: boolean } = {},
  ): Promise<CallRecord[]> {
    const { answer, records } = this.#life.begin('records', { filter, ...options });
    await answer;
    return records().map((record) => Object.freeze(record));
  }

  async usage(filter: RecordFilter): Promise<Readonly<Record<string, UsageSum>>> {
    const usage: Record<string, UsageSum> = Object.create(null) as Record<string, UsageSum>;
    for (const [model, sum] of Object.entries(await this.#ask('usage', filter))) usage[model] = Object.freeze(sum);
    return Object.freeze(usage);
  }

  async cachedLatencyMs(filter: RecordFilter): Promise<number> {
    return await this.#ask('cachedLatencyMs', filter);
  }

  async summary(filter: RecordFilter): Promise<TrackerSummary> {
    return await this.#ask('summary', filter);
  }

  async runs(): Promise<readonly RunRow[]> {
    return await this.#ask('runs', null);
  }

  async clear(): Promise<number> {
    return await this.#ask('clear', null);
  }

  noteFault(fault: Omit<Fault, 'at'>): void {
    if (this.state === 'serving') this.#life.post({ kind: 'fault', fault });
    else this.#events.announce({ type: 'fault.occurred', fault: { ...fault, at: new Date().toISOString() } });
  }

  noteListenerError(message: string): void {
    this.#life.post({ kind: 'listener-error', message });
  }

  async close(): Promise<void> {
    await this.#life.close();
  }

  readonly #ask: Ask = async (name, asked) => await this.#life.begin(name, asked).answer;

  /** Sessions that are being closed as well, so that they can be. One that cannot be opened again is over. */
  async #restore(ask: AskNow): Promise<number> {
    let count = 0;
    for (const session of [...this.#sessions]) {
      try {
        session.moveTo(await ask('openSession', session.restoring));
        count += 1;
      } catch (error) {
        if (!(error instanceof TrackerError)) throw error;
        this.#sessions.delete(session);
      }
    }
    return count;
  }

  async #askRouter({ id, question }: Extract<FromThread, { kind: 'question' }>): Promise<void> {
    try {
      this.#life.post({ kind: 'answer', id, value: await this.#options.router?.(question) });
    } catch (error) {
      // What it threw, or an answer no thread can be given: a function, say.
      this.#life.post({ kind: 'failure', id, message: readErrorMessage(error) });
    }
  }
}

import type { Worker } from 'node:worker_threads';
import type { CallRecord } from '../core/call-record.js';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type { HostLink, LinkOptions } from '../core/link.js';
import type { ProviderRegistration } from '../core/wire.js';
import { HostThread } from './host-thread.js';
import type { FromThread, RequestName, Requests, ThreadData, ToThread } from './messages.js';
import { makeFailure } from './messages.js';
import { Pending } from './pending.js';

export interface ThreadLifeOptions extends LinkOptions {
  /** Told of every thread that is started. */
  readonly onThread?: (thread: Worker) => void;
  /** How many deaths within a minute are mended; 5 when absent. */
  readonly maxDeaths?: number;
}

export interface ThreadLifePorts {
  readonly url: URL;
  readonly onEvent: (message: Extract<FromThread, { kind: 'event' }>) => void;
  readonly onQuestion: (message: Extract<FromThread, { kind: 'question' }>) => void;
  /** Those registered so far. */
  readonly providers: () => readonly ProviderRegistration[];
  /** Opens again, on a thread that has just been started, what was open; gives how many sessions. */
  readonly restore: (ask: AskNow) => Promise<number>;
  readonly onFault: (fault: Omit<Fault, 'at'>) => void;
}

/** Asks the thread of this moment; rejects when that one dies. */
export type AskNow = <Name extends RequestName>(
  name: Name,
  asked: Requests[Name]['asked'],
) => Promise<Requests[Name]['answer']>;

/** What was asked: its answer, and the records that came in pages before it. */
export interface Begun<Name extends RequestName> {
  readonly answer: Promise<Requests[Name]['answer']>;
  readonly records: () => CallRecord[];
}

const usualMaxDeaths = 5;
const deathWindowMs = 60_000;
/** How long the thread may take to end in order. */
const closeDeadlineMs = 5000;

/** The host's thread over its deaths: what is asked is answered by the one that lives, or says that none will. */
export class ThreadLife {
  readonly #options: ThreadLifeOptions;
  readonly #ports: ThreadLifePorts;
  readonly #pending = new Pending();
  readonly #deathsMs: number[] = [];
  #state: HostLink['state'] = 'serving';
  #thread: HostThread | null = null;
  #settling: Promise<void> = Promise.resolve();
  /** Ends the wait for what is being restored when the thread dies over it. */
  #failRestoring: ((error: Error) => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ThreadLifeOptions, ports: ThreadLifePorts) {
    this.#options = options;
    this.#ports = ports;
  }

  async open(): Promise<HostThread['facts']> {
    this.#thread = await this.#openThread();
    return this.#thread.facts;
  }

  get state(): HostLink['state'] {
    return this.#state;
  }

  async whenSettled(): Promise<void> {
    await this.#settling;
  }

  /** Tells the thread something, if there is one. */
  post(message: ToThread): void {
    if (this.#state === 'serving') this.#thread?.post(message);
  }

  /** Throws `HOST_CLOSED` and `HOST_LOST`. */
  begin<Name extends RequestName>(name: Name, asked: Requests[Name]['asked']): Begun<Name> {
    if (this.#state === 'closed') throw makeClosed();
    if (this.#state === 'lost') throw makeLost();
    const begun = this.#pending.add(name, asked);
    this.post(begun.message);
    this.#hold();
    return begun;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closing = this.#state === 'serving' ? this.begin('close', null).answer : Promise.resolve(null);
    if (this.#state !== 'lost') this.#state = 'closed';
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeDeadlineMs);
    });
    await Promise.race([closing.catch(() => undefined), enough]);
    clearTimeout(timer);
    await this.#settling;
    await this.#thread?.end();
    this.#pending.rejectAll(makeClosed());
  }

  /** The thread holds the process open only while something is waited for. */
  #hold(): void {
    this.#thread?.hold(this.#pending.size > 0);
  }

  async #openThread(): Promise<HostThread> {
    const { onThread, maxDeaths: _, router, ...host } = this.#options;
    const data: ThreadData = {
      host: { ...host, env: { ...host.env }, providers: [...this.#ports.providers()] },
      hasRouter: router !== undefined,
    };
    return await HostThread.open({
      url: this.#ports.url,
      data,
      onMessage: (message) => this.#onMessage(message),
      onDeath: (reason) => this.#onDeath(reason),
      ...(onThread === undefined ? {} : { onThread }),
    });
  }

  #onMessage(message: FromThread): void {
    if (message.kind === 'event') return this.#ports.onEvent(message);
    if (message.kind === 'question') return this.#ports.onQuestion(message);
    if (message.kind === 'page') return this.#pending.addPage(message.id, message.records);
    if (message.kind === 'answer') this.#pending.resolve(message.id, message.value);
    else if (message.kind === 'failure') this.#pending.reject(message.id, makeFailure(message.failure));
    this.#hold();
  }

  #onDeath(reason: string): void {
    if (this.#state === 'closed' || this.#state === 'lost') return;
    this.#failRestoring?.(new Error(reason));
    if (this.#state === 'restarting') return;
    this.#state = 'restarting';
    this.#settling = this.#restart(reason);
  }

  async #restart(firstReason: string): Promise<void> {
    for (let reason = firstReason; this.#state === 'restarting'; ) {
      if (this.#hasDiedTooOften()) return this.#lose(reason);
      try {
        this.#thread = await this.#openThread();
        const count = await this.#restore(this.#thread);
        if (this.#state !== 'restarting') return;
        this.#state = 'serving';
        for (const message of this.#pending.again()) this.#thread.post(message);
        this.#hold();
        this.#ports.onFault(makeRestartedFault(firstReason, count));
      } catch (error) {
        reason = readErrorMessage(error);
        await this.#thread?.end();
      }
    }
  }

  #hasDiedTooOften(): boolean {
    const nowMs = Date.now();
    this.#deathsMs.push(nowMs);
    const recent = this.#deathsMs.filter((atMs) => nowMs - atMs < deathWindowMs).length;
    return recent > (this.#options.maxDeaths ?? usualMaxDeaths);
  }

  async #restore(thread: HostThread): Promise<number> {
    const death = new Promise<never>((_, reject) => {
      this.#failRestoring = reject;
    });
    death.catch(() => undefined);
    const ask: AskNow = async (name, asked) => {
      const { id, message, answer } = this.#pending.add(name, asked);
      thread.post(message);
      return await Promise.race([answer, death]).finally(() => this.#pending.drop(id));
    };
    try {
      return await this.#ports.restore(ask);
    } finally {
      this.#failRestoring = null;
    }
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    this.#pending.rejectAll(makeLost());
    this.#ports.onFault({
      code: 'HOST_LOST',
      message: `The tap's thread died again and again and is given up: ${reason}.`,
      hint: 'Calls go on as without the tap, and are not recorded. Please report it.',
      sessionId: null,
    });
  }
}

function makeRestartedFault(reason: string, count: number): Omit<Fault, 'at'> {
  return {
    code: 'HOST_RESTARTED',
    message: `The tap's thread died (${reason}) and was started again, with ${count} open ${count === 1 ? 'session' : 'sessions'}.`,
    hint: 'Calls that were under way were cut; what was recorded before is there. Please report it.',
    sessionId: null,
  };
}

function makeClosed(): TrackerError {
  return new TrackerError('HOST_CLOSED', 'Could not ask the tap: it is closed.', { hint: 'Open another one.' });
}

function makeLost(): TrackerError {
  return new TrackerError('HOST_LOST', 'Could not ask the tap: its thread died too often and was given up.', {
    hint: 'Make another tracker; what was recorded is in the ledger.',
  });
}

// Longer than 250 lines: one state machine, over all lives of the thread.
import type { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../core/clock.js';
import { readErrorMessage } from '../core/errors.js';
import type { Fault } from '../core/events.js';
import type { HostLink, LinkOptions } from '../core/link.js';
import { waitAtMost } from '../core/wait-at-most.js';
import type { ProviderRegistration } from '../core/wire.js';
import { Deaths } from './deaths.js';
import type { EventLine } from './event-line.js';
import { HostThread } from './host-thread.js';
import type { FromThread, RequestName, Requests, ThreadData, ToThread } from './messages.js';
import { makeFailure } from './messages.js';
import { type Begun, Pending } from './pending.js';
import {
  makeClosed,
  makeLost,
  makeLostFault,
  makeRestartedFault,
  makeUnsendable,
  type Restored,
} from './thread-errors.js';
import { Untold } from './untold.js';

export interface ThreadLifeOptions extends LinkOptions {
  /** Told of every thread that is started. */
  readonly onThread?: (thread: Worker) => void;
  /** How many deaths within a minute are mended; 5 when absent. */
  readonly maxDeaths?: number;
  /** Tells how long ago a death was. */
  readonly clock?: Clock;
}

export interface ThreadLifePorts {
  readonly url: URL;
  readonly onEvent: (message: Extract<FromThread, { kind: 'event' }>) => void;
  /** @param reply reaches the thread that asks: another's questions have the same numbers */
  readonly onQuestion: (message: Extract<FromThread, { kind: 'question' }>, reply: (message: ToThread) => void) => void;
  /** Those registered so far. */
  readonly providers: () => readonly ProviderRegistration[];
  /** Opens again, on a thread that has just been started, what was open. */
  readonly restore: (ask: AskNow) => Promise<Restored>;
  readonly onFault: (fault: Omit<Fault, 'at'>) => void;
  readonly events: EventLine;
  /** No thread will serve any more. */
  readonly onLost: () => void;
}

/** Asks the thread of this moment; rejects when that one dies. */
export type AskNow = <Name extends RequestName>(
  name: Name,
  asked: Requests[Name]['asked'],
) => Promise<Requests[Name]['answer']>;

type Note = Extract<ToThread, { kind: 'fault' | 'listener-error' }>;

const usualMaxDeaths = 5;
/** How long the thread may take to end in order. */
const closeDeadlineMs = 5000;
const mostHeldNotes = 100;

/** The host's thread over its deaths: what is asked is answered by the one that lives, or says that none will. */
export class ThreadLife {
  readonly #options: ThreadLifeOptions;
  readonly #ports: ThreadLifePorts;
  readonly #pending = new Pending();
  readonly #deaths: Deaths;
  /** For the next thread. */
  #heldNotes: Note[] = [];
  /** Faults that no thread has said it keeps: one that dies takes what it was just told along. */
  readonly #untold = new Untold();
  #state: HostLink['state'] = 'serving';
  #thread: HostThread | null = null;
  /** Its host may not be open yet. */
  #newest: Worker | null = null;
  #settling: Promise<void> = Promise.resolve();
  #waitingToSettle = 0;
  /** Ends the wait for what is being restored when the thread dies over it. */
  #failRestoring: ((error: Error) => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ThreadLifeOptions, ports: ThreadLifePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#deaths = new Deaths(options.clock ?? systemClock, options.maxDeaths ?? usualMaxDeaths);
  }

  async open(): Promise<HostThread['facts']> {
    this.#thread = await this.#openThread();
    return this.#thread.facts;
  }

  get state(): HostLink['state'] {
    return this.#state;
  }

  async whenSettled(): Promise<void> {
    this.#waitingToSettle += 1;
    this.#hold();
    await this.#settling;
    this.#waitingToSettle -= 1;
    this.#hold();
  }

  /** Tells the thread something, if there is one that lives. */
  post(message: ToThread): boolean {
    const thread = this.#state === 'serving' ? this.#thread : null;
    thread?.post(message);
    // A program that has nothing else to do ends when its events are taken.
    if (message.kind === 'events') this.#hold();
    return thread !== null && thread.endReason === null;
  }

  /** Tells this thread, or the one that takes its place. */
  note(note: Note): void {
    if (note.kind === 'fault') this.#untold.add(note);
    if (this.#state !== 'restarting') this.post(note);
    else if (note.kind === 'fault') return;
    else if (this.#heldNotes.length < mostHeldNotes) this.#heldNotes.push(note);
  }

  /** Throws `HOST_CLOSED`, `HOST_LOST`, and `OPTION_INVALID` for what no thread can be given. */
  begin<Name extends RequestName>(name: Name, asked: Requests[Name]['asked']): Begun<Name> {
    if (this.#state === 'closed') throw makeClosed();
    if (this.#state === 'lost') throw makeLost();
    const begun = this.#pending.add(name, asked);
    try {
      if (this.#state === 'serving') this.#thread?.post(begun.message);
      else structuredClone(asked);
    } catch (error) {
      this.#pending.drop(begun.id);
      throw makeUnsendable(error);
    }
    this.#hold();
    return begun;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ports.events.flush();
    if (this.#state !== 'lost') this.#state = 'closed';
    await waitAtMost(closeDeadlineMs, this.#closeHost());
    // Also one that is stuck while it starts. Its death ends whatever waits for it.
    await this.#newest?.terminate();
    await this.#settling;
    this.#pending.rejectAll(makeClosed());
  }

  async #closeHost(): Promise<void> {
    // Sessions that are just being opened again are closed in order, too.
    await this.#settling;
    const thread = this.#thread;
    if (thread === null || thread.endReason !== null) return;
    const { message, answer } = this.#pending.add('close', null);
    thread.post(message);
    thread.hold(true);
    await Promise.race([answer.catch(() => undefined), thread.whenEnded]);
  }

  /** The thread holds the process open only while something is waited for. */
  #hold(): void {
    this.#thread?.hold(this.#pending.size > 0 || this.#waitingToSettle > 0 || this.#ports.events.isWaiting);
  }

  async #openThread(): Promise<HostThread> {
    const { onThread, maxDeaths: _, clock: __, router, ...host } = this.#options;
    const data: ThreadData = {
      host: { ...host, env: { ...host.env }, providers: [...this.#ports.providers()] },
      hasRouter: router !== undefined,
    };
    return await HostThread.open({
      url: this.#ports.url,
      data,
      onMessage: (message, reply) => this.#onMessage(message, reply),
      onDeath: (reason) => this.#onDeath(reason),
      onThread: (thread) => {
        this.#newest = thread;
        onThread?.(thread);
      },
    });
  }

  #onMessage(message: FromThread, reply: (message: ToThread) => void): void {
    if (message.kind === 'event') {
      this.#untold.hear(message.event);
      return this.#ports.onEvent(message);
    }
    if (message.kind === 'taken') {
      this.#ports.events.noteTaken(message.id);
      return this.#hold();
    }
    if (message.kind === 'question') return this.#ports.onQuestion(message, reply);
    if (message.kind === 'page') return this.#pending.addPage(message.id, message.records);
    if (message.kind === 'answer') this.#pending.resolve(message.id, message.value);
    else if (message.kind === 'failure') {
      // A query that the end of the host has cut fails for that reason, whatever the ledger says of it.
      this.#pending.reject(message.id, this.#state === 'closed' ? makeClosed() : makeFailure(message.failure));
    } else return;
    this.#hold();
  }

  #onDeath(reason: string): void {
    this.#failRestoring?.(new Error(reason));
    if (this.#state !== 'serving') return;
    this.#state = 'restarting';
    this.#settling = this.#restart(reason);
  }

  async #restart(firstReason: string): Promise<void> {
    for (let reason = firstReason; this.#state === 'restarting'; ) {
      if (this.#deaths.isOneTooMany()) return this.#lose(reason);
      try {
        const thread = await this.#openThread();
        this.#thread = thread;
        // NOTE: a new thread holds nothing open by itself, and somebody may be waiting.
        this.#hold();
        const restored = await this.#restore(thread);
        if (this.#state === 'restarting') this.#serveAgain(thread, makeRestartedFault(firstReason, restored));
        return;
      } catch (error) {
        reason = readErrorMessage(error);
        await this.#thread?.end();
      }
    }
  }

  #serveAgain(thread: HostThread, fault: Omit<Fault, 'at'>): void {
    this.#state = 'serving';
    for (const message of [...this.#ports.events.again(), ...this.#pending.again()]) thread.post(message);
    this.#hold();
    const untold = this.#untold.list();
    this.#ports.onFault(fault);
    for (const note of [...untold, ...this.#heldNotes.splice(0)]) thread.post(note);
  }

  async #restore(thread: HostThread): Promise<Restored> {
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
      const restored = await this.#ports.restore(ask);
      // NOTE: its last answer and its end come in one turn of the loop when this thread was blocked meanwhile (measured,
      // Node 20.20): nobody would be told of that end any more.
      if (thread.endReason !== null) throw new Error(thread.endReason);
      return restored;
    } finally {
      this.#failRestoring = null;
    }
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    const untold = this.#untold.list();
    this.#pending.rejectAll(makeLost());
    this.#ports.onFault(makeLostFault(reason));
    for (const { fault } of untold) this.#ports.onFault(fault);
    this.#ports.onLost();
  }
}

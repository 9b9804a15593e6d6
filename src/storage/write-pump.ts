// Longer than 250 lines: one queue and one file, over every way in which the file may refuse.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../core/clock.js';
import { type Database, openWritable } from './database.js';
import { IdleCheckpoint } from './idle-checkpoint.js';
import { type LedgerFault, Losses, type LossReason, tellSaved } from './losses.js';
import { findTrouble, makeStoreError, type StoreTrouble } from './store-errors.js';
import { TurnEnd } from './turn-end.js';
import type { WritePumpOptions } from './write-pump-options.js';
import { type QueueLimits, WriteQueue } from './write-queue.js';
import { makeBodiless, type Write, WriteStatements } from './writes.js';

/** Long enough to outlast another writer's commit (25 us measured), short enough not to be felt in a stream. */
const busyTimeoutMs = 10;
/** Making a new file takes some milliseconds, and every process that starts at once waits for it. */
const openTimeoutMs = 100;
const firstRetryMs = 20;
const lastRetryMs = 1000;
const batchWrites = 200;
/** So many waiting are more than a turn of the loop brings: a burst, which is written as it comes. */
const crowdedWrites = 1000;
const batchBytes = 4 * 1024 * 1024;
const defaultQueue: QueueLimits = { maxWrites: 10_000, maxBytes: 64 * 1024 * 1024 };

/**
 * Moves writes into the file: in the turn of the event loop they came in, or where the file refuses, through a bounded
 * queue and a timer that holds no process open. Never throws; what it could not write it counts and says.
 */
export class WritePump {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #maxPages: number | undefined;
  readonly #closeDeadlineMs: number;
  readonly #queue: WriteQueue;
  readonly #losses: Losses;
  #db: Database | null = null;
  #statements: WriteStatements | null = null;
  /** Set when the file will never open; said already. */
  #isHopeless = false;
  /** The file did not take anything when it was last asked. */
  #isRefused = false;
  /** Why writes are waiting, or last had to. */
  #waitingFor: LossReason = 'locked';
  #retryMs = firstRetryMs;
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #turn: TurnEnd;
  #checkpoint: IdleCheckpoint | null = null;
  #closing: Promise<void> | null = null;
  #isClosed = false;

  constructor(path: string, options: WritePumpOptions) {
    this.#path = path;
    this.#clock = options.clock ?? systemClock;
    this.#maxPages = options.maxPages;
    this.#closeDeadlineMs = options.closeDeadlineMs ?? 2000;
    this.#queue = new WriteQueue(options.queue ?? defaultQueue);
    this.#losses = new Losses(this.#path, options.onFault);
    this.#turn = new TurnEnd(this.#clock, () => this.#endTurn());
    this.#open(openTimeoutMs);
  }

  get lostCalls(): number {
    return this.#losses.lostCalls;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  save(write: Write): void {
    if (this.#isClosed) {
      this.#losses.count(write, 'closed');
      this.#losses.settle();
    } else if (this.#isHopeless) {
      this.#losses.count(write, 'failed');
    } else this.#enqueue(write);
  }

  say(fault: LedgerFault): void {
    this.#losses.say(fault);
  }

  async flush(deadlineMs: number): Promise<boolean> {
    const until = this.#clock.monotonicMs() + deadlineMs;
    let pauseMs = 5;
    while (this.#queue.size > 0 && !this.#isHopeless && !this.#isClosed) {
      const before = this.#queue.size;
      this.#drainBatch();
      const leftMs = until - this.#clock.monotonicMs();
      if (this.#queue.size === 0 || leftMs <= 0) break;
      if (this.#queue.size < before) await nextTurn();
      else await sleep(Math.min(pauseMs, leftMs));
      pauseMs = Math.min(pauseMs * 2, 100);
    }
    return this.#queue.size === 0 || this.#waitingFor !== 'locked';
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.flush(this.#closeDeadlineMs);
    this.#isClosed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#turn.cancel();
    this.#checkpoint?.stop();
    for (const write of this.#queue.clear()) this.#losses.count(write, this.#waitingFor);
    if (!this.#isHopeless) this.#losses.settle();
    this.#statements = null;
    this.#checkpoint?.run();
    this.#db?.close();
    this.#db = null;
  }

  #enqueue(write: Write): void {
    // NOTE: what lies behind others in a full queue may still fit without its bodies.
    const isKept = this.#queue.push(write) || (write.bodies !== null && this.#queue.push(makeBodiless(write)));
    if (!isKept) this.#losses.count(write, this.#waitingFor);
    // What the file would take is not to be lost because a turn of the loop brings more than the queue holds.
    if (this.#queue.size > crowdedWrites && !this.#isRefused) this.#drainBatch();
    // A file that refused is asked again by the timer, not by every write that comes meanwhile.
    if (this.#retryTimer !== null) return;
    this.#turn.mark();
  }

  /** Writes what this turn of the loop saved, in one transaction: a third of the price of one each. */
  #endTurn(): void {
    if (this.#isClosed || this.#isHopeless || this.#queue.size === 0) return;
    this.#drainBatch();
    if (this.#queue.size > 0) this.#scheduleRetry();
  }

  /** Writes one thing; `false` when it has to wait. What can never be written is counted and done with. */
  #write(write: Write): boolean {
    const error = this.#tryWrite(write);
    if (error === null) return true;
    const trouble = findTrouble(error);
    if (trouble === 'full') return this.#writeWithoutBodies(write, error);
    return this.#giveUpOrWait(write, trouble, error);
  }

  #writeWithoutBodies(write: Write, error: unknown): boolean {
    this.#waitingFor = 'full';
    const second = write.bodies === null ? error : this.#tryWrite(makeBodiless(write));
    this.#losses.noteFull(error);
    if (second === null) return true;
    const trouble = findTrouble(second);
    return trouble === 'full' ? false : this.#giveUpOrWait(write, trouble, second);
  }

  #giveUpOrWait(write: Write, trouble: StoreTrouble, error: unknown): boolean {
    if (trouble === 'locked') {
      this.#waitingFor = 'locked';
      return false;
    }
    this.#losses.count(write, 'failed', error);
    this.#losses.settle();
    return true;
  }

  #tryWrite(write: Write): unknown {
    if (this.#statements === null) return null;
    try {
      this.#noteWritten(write, this.#statements.write(write));
      if (write.bodies !== null) this.#losses.noteRoom();
      this.#checkpoint?.postpone();
      return null;
    } catch (error) {
      return error;
    }
  }

  #noteWritten(write: Write, isKept: boolean): void {
    tellSaved(write, isKept ? 'kept' : 'refused');
    if (!isKept && write.kind === 'call') this.#sayTwice(write);
  }

  #sayTwice(write: Write): void {
    const message = `Call ${String(write.values[0])} was saved a second time; the ledger keeps the first.`;
    this.#losses.say({ code: 'STORE_FAILED', message, hint: null });
  }

  /** Writes the first of what waits; afterwards either the queue is shorter or the file still refuses. */
  #drainBatch(): void {
    const before = this.#queue.size;
    this.#writeBatch();
    this.#isRefused = this.#queue.size >= before;
  }

  #writeBatch(): void {
    if (this.#db === null) this.#open(busyTimeoutMs);
    if (this.#statements === null) return;
    const batch = this.#queue.peek(batchWrites, batchBytes);
    if (batch.length === 0) return;
    try {
      const written = this.#statements.writeAll(batch);
      this.#queue.drop(batch.length);
      if (batch.some((write) => write.bodies !== null)) this.#losses.noteRoom();
      for (const [i, write] of batch.entries()) this.#noteWritten(write, written[i] === true);
    } catch (error) {
      if (findTrouble(error) === 'locked') this.#waitingFor = 'locked';
      else this.#drainOneByOne(batch.length);
    }
    if (this.#queue.size > 0) return;
    this.#losses.settle();
    this.#checkpoint?.postpone();
  }

  /** One of the batch cannot be written as it is: find which, and let the others go. */
  #drainOneByOne(count: number): void {
    for (let i = 0; i < count; i++) {
      const [first] = this.#queue.peek(1, batchBytes);
      if (first === undefined) return;
      if (!this.#write(first)) {
        if (this.#waitingFor === 'full') this.#queue.replaceFirst(makeBodiless(first));
        return;
      }
      this.#queue.drop(1);
    }
  }

  #open(timeoutMs: number): void {
    try {
      const size = this.#maxPages === undefined ? {} : { maxPages: this.#maxPages };
      const db = openWritable({ path: this.#path, busyTimeoutMs: timeoutMs, ...size });
      db.pragma(`busy_timeout = ${busyTimeoutMs}`);
      this.#db = db;
      this.#statements = new WriteStatements(db);
      this.#checkpoint = new IdleCheckpoint(db);
    } catch (error) {
      this.#noteUnopened(error);
    }
  }

  #noteUnopened(error: unknown): void {
    const trouble = findTrouble(error);
    if (trouble === 'locked') this.#waitingFor = 'locked';
    else if (trouble === 'full') {
      this.#waitingFor = 'full';
      queueMicrotask(() => this.#losses.noteFull(error));
    } else {
      this.#isHopeless = true;
      const { code, message, hint } = makeStoreError(error, { action: 'open the ledger', path: this.#path });
      const said = `${message} Calls go on, but none of them is recorded.`;
      for (const write of this.#queue.clear()) this.#losses.count(write, 'failed');
      // Not from within the constructor: whoever is told may want to ask the writer.
      queueMicrotask(() => this.#losses.say({ code, message: said, hint }));
    }
  }

  #scheduleRetry(): void {
    if (this.#retryTimer !== null || this.#isClosed) return;
    this.#retryTimer = setTimeout(() => this.#retry(), this.#retryMs).unref();
  }

  #retry(): void {
    this.#retryTimer = null;
    const before = this.#queue.size;
    this.#drainBatch();
    // Progress goes on at the next turn of the loop, refusal waits longer each time.
    this.#retryMs = this.#queue.size < before ? 0 : Math.min(Math.max(this.#retryMs, firstRetryMs) * 2, lastRetryMs);
    if (this.#queue.size > 0) this.#scheduleRetry();
    else this.#retryMs = firstRetryMs;
  }
}

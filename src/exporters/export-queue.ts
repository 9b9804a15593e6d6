import { type ErrorCode, readErrorMessage } from '../core/errors.js';
import type { TrackerEvent } from '../core/events.js';
import { type Exporter, ExportRefused, type Prepared } from '../core/exporting.js';

export interface ExportQueueOptions {
  readonly exporter: Exporter;
  readonly onFault: (code: ErrorCode, message: string, hint: string | null) => void;
  /** Items that wait at most; 10,000 when absent. The oldest give way. */
  readonly mostItems?: number;
  /** Bytes that wait at most; 64 MiB when absent. */
  readonly mostBytes?: number;
  /** How long the first item waits for others, milliseconds; 500 when absent. */
  readonly gatherMs?: number;
  /** How long to wait after a failure, milliseconds, doubled by every further one up to thirty times; 1000 when absent. */
  readonly backOffMs?: number;
}

const defaultItems = 10_000;
const defaultBytes = 64 * 1024 * 1024;
const batchItems = 512;
/** A collector refuses what is larger than it takes, 20 MiB by its defaults, and all of it is lost. */
const batchBytes = 4 * 1024 * 1024;
const longestBackOffs = 30;

/**
 * Stands between events and one exporter: never waits, never throws, never holds more than its bounds. What the exporter
 * does not take is kept and sent again, further and further apart; what finds no room pushes out the oldest, which is
 * counted and told.
 */
export class ExportQueue {
  readonly #options: ExportQueueOptions;
  #waiting: Prepared<unknown>[] = [];
  #sending: readonly Prepared<unknown>[] = [];
  #bytes = 0;
  #dropped = 0;
  #untold = 0;
  #failures = 0;
  /** The exporter has not taken anything since it was told that it takes nothing. */
  #isTold = false;
  #timer: NodeJS.Timeout | null = null;
  #sent: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isClosed = false;
  readonly #whenRoomy: (() => void)[] = [];

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  /** Events not sent, so far. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#waiting.length + this.#sending.length;
  }

  /** Whether half of the room is taken and it is being sent: who brings more may wait. One that fails is not waited for. */
  get isCrowded(): boolean {
    const { mostItems = defaultItems, mostBytes = defaultBytes } = this.#options;
    const isFull = this.waiting > mostItems / 2 || this.#bytes > mostBytes / 2;
    return isFull && this.#failures === 0 && !this.#isClosed;
  }

  /** Resolves when it is crowded no longer. */
  async whenRoomy(): Promise<void> {
    if (this.isCrowded) await new Promise<void>((resolve) => this.#whenRoomy.push(resolve));
  }

  #tellRoomy(): void {
    if (this.#whenRoomy.length === 0 || this.isCrowded) return;
    for (const tell of this.#whenRoomy.splice(0)) tell();
  }

  offer(event: TrackerEvent): void {
    if (this.#isClosed) return;
    const prepared = this.#prepare(event);
    if (prepared === null) return;
    this.#waiting.push(prepared);
    this.#bytes += prepared.bytes;
    this.#makeRoom();
    if (this.#isBusy) return;
    if (this.#waiting.length >= batchItems && this.#failures === 0) this.#start();
    // After a failure the next attempt has its time already, unless nothing was left for it.
    else this.#schedule(this.#options.gatherMs ?? 500);
  }

  /** Sends what waits, for at most `deadlineMs`; a failure ends it. What is left is dropped, counted and told. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tellRoomy();
    this.#clearTimer();
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.#drain(), enough]);
    this.#drop(this.waiting);
    this.#waiting = [];
    this.#tellDropped();
    await Promise.race([this.#closeExporter(), enough]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    await this.#sent;
    const before = this.#failures;
    while (this.#waiting.length > 0 && this.#failures <= before) await this.#sendBatch();
  }

  async #closeExporter(): Promise<void> {
    try {
      await this.#options.exporter.close();
    } catch (error) {
      this.#tell(error);
    }
  }

  #prepare(event: TrackerEvent): Prepared<unknown> | null {
    try {
      return this.#options.exporter.prepare(event);
    } catch (error) {
      this.#drop(1);
      this.#tell(error);
      return null;
    }
  }

  #makeRoom(): void {
    const { mostItems = defaultItems, mostBytes = defaultBytes } = this.#options;
    let gone = 0;
    while (
      gone < this.#waiting.length &&
      (this.#waiting.length - gone + this.#sending.length > mostItems || this.#bytes > mostBytes)
    ) {
      this.#bytes -= this.#waiting[gone]?.bytes ?? 0;
      gone += 1;
    }
    if (gone === 0) return;
    this.#waiting.splice(0, gone);
    this.#drop(gone);
  }

  #schedule(ms: number): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#start(), ms);
    // NOTE: a program that has nothing else to do ends; what waits is sent when the host is closed.
    this.#timer.unref();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    this.#clearTimer();
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    this.#sent = this.#sendAll().finally(() => {
      this.#isBusy = false;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      await this.#sendBatch();
      if (this.#failures === 0) continue;
      const { backOffMs = 1000 } = this.#options;
      return this.#schedule(backOffMs * Math.min(2 ** (this.#failures - 1), longestBackOffs));
    }
  }

  async #sendBatch(): Promise<void> {
    this.#sending = this.#waiting.splice(0, this.#countBatch());
    try {
      await this.#options.exporter.send(this.#sending.map(({ item }) => item));
      this.#settle();
      this.#failures = 0;
      this.#isTold = false;
      this.#tellDropped();
    } catch (error) {
      this.#keepOrDrop(error);
    }
  }

  /** As many as there is room for, one at least. */
  #countBatch(): number {
    let room = batchBytes;
    const end = this.#waiting.slice(0, batchItems).findIndex(({ bytes }) => {
      room -= bytes;
      return room < 0;
    });
    return end === -1 ? batchItems : Math.max(end, 1);
  }

  #keepOrDrop(error: unknown): void {
    if (error instanceof ExportRefused) {
      this.#drop(this.#sending.length);
      this.#settle();
      this.#tell(error);
      return;
    }
    this.#failures += 1;
    this.#waiting = [...this.#sending, ...this.#waiting];
    this.#sending = [];
    this.#tellRoomy();
    this.#tell(error);
  }

  #settle(): void {
    for (const { bytes } of this.#sending) this.#bytes -= bytes;
    this.#sending = [];
    this.#tellRoomy();
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#untold += count;
  }

  #tell(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { exporter, onFault } = this.#options;
    onFault(
      'EXPORT_FAILED',
      `Could not send events to ${exporter.name}: ${readErrorMessage(error)}.`,
      error instanceof ExportRefused
        ? 'These events are lost to it; the ledger is written apart from it.'
        : 'It is tried again while the session lasts; the ledger is written apart from it.',
    );
  }

  #tellDropped(): void {
    if (this.#untold === 0) return;
    const { exporter, onFault } = this.#options;
    const count = this.#untold;
    this.#untold = 0;
    onFault(
      'EXPORT_DROPPED',
      `${count} event${count === 1 ? '' : 's'} did not reach ${exporter.name}.`,
      'The ledger is written apart from it: llmtap calls --json.',
    );
  }
}

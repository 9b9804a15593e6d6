import type { Database } from './database.js';

/** Pause in the writing after which the log is copied into the file. */
const idleMs = 250;

/** Checkpoints when nothing has been written for a while, so that no commit in the middle of a stream has to. */
export class IdleCheckpoint {
  readonly #db: Database;
  readonly #timer: NodeJS.Timeout;

  constructor(db: Database) {
    this.#db = db;
    this.#timer = setTimeout(() => this.run(), idleMs).unref();
  }

  /** Something was written. */
  postpone(): void {
    this.#timer.refresh();
  }

  run(): void {
    try {
      this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // What is in the log is as safe there as in the file; the next checkpoint takes it along.
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

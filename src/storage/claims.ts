import type { Database, Statement } from './database.js';
import type { ClaimWrite } from './writes.js';

/** Holds that a run has each of its facts once, across trackers, sessions and processes, by a key of the ledger. */
export class ClaimStatements {
  readonly #find: Statement;
  readonly #insert: Statement;

  constructor(db: Database) {
    this.#find = db.prepare('SELECT owner, source FROM run_claims WHERE run_id = ? AND fact = ?');
    this.#insert = db.prepare('INSERT INTO run_claims (run_id, fact, owner, source, at) VALUES (?, ?, ?, ?, ?)');
  }

  /** Whether the fact is its owner's to state. To be asked within the transaction that writes the event. */
  claim({ runId, fact, owner, source, dedupe, at }: ClaimWrite): boolean {
    const held = this.#find.get(runId, fact) as { readonly owner: string; readonly source: string } | undefined;
    if (held === undefined) {
      this.#insert.run(runId, fact, owner, source, at);
      return true;
    }
    if (held.owner === owner) return true;
    return dedupe === 'tracker' && held.source === source;
  }
}

import { waitAtMost } from '../core/wait-at-most.js';

/** What a session's end waits for at most: an estimate takes less, and the session's program is not to wait for longer. */
const deadlineMs = 4000;

/** Records that are still being made: a compressed copy is being read, or tokens counted. */
export class HeldRecords {
  readonly #bySession = new Map<string, Set<Promise<void>>>();

  /** @param recording never rejects */
  hold(sessionId: string, recording: Promise<void>): void {
    const held = this.#bySession.get(sessionId) ?? new Set();
    this.#bySession.set(sessionId, held.add(recording));
    void recording.then(() => {
      held.delete(recording);
      if (held.size === 0) this.#bySession.delete(sessionId);
    });
  }

  /** Resolves when a session's records are made, or it has waited long enough. */
  async settle(sessionId: string): Promise<void> {
    const held = this.#bySession.get(sessionId);
    if (held !== undefined) await waitAtMost(deadlineMs, Promise.all(held));
  }
}

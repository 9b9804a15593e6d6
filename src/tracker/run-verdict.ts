import type { RunVerdict } from '../core/host.js';

/** How what a scope is for ended: one that throws is no success, one that its scope is closed over is aborted. */
export class ScopeVerdict {
  #isPending = false;
  #verdict: RunVerdict | null = null;

  /** Gives what the work gives, and rejects as it does. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#isPending = true;
    try {
      const result = await work();
      this.#verdict ??= 'success';
      return result;
    } catch (error) {
      this.#verdict ??= isAbort(error) ? 'aborted' : 'error';
      throw error;
    } finally {
      this.#isPending = false;
    }
  }

  /** To be asked when the scope ends; `null` when nothing was watched. */
  read(): RunVerdict | null {
    if (this.#isPending) this.#verdict ??= 'aborted';
    return this.#verdict;
  }
}

/** What `AbortController`, and the clients of OpenAI and Anthropic, throw when they were told to stop. */
function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || error.constructor.name === 'APIUserAbortError';
}

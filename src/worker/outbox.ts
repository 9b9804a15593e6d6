import type { FromThread } from './messages.js';

/**
 * Tells the agent side of what has happened once it is in the ledger, so that a thread that dies takes nothing along
 * that it has told of. Events and answers keep their order; a ledger that is locked is not waited for.
 */
export class Outbox {
  readonly #post: (message: FromThread) => void;

  constructor(post: (message: FromThread) => void) {
    this.#post = post;
  }

  /**
   * NOTE: the ledger writes in an immediate of the turn it was given something in, which may have been set after the
   * first one here, where a long turn made it write early. It has always run by the second.
   */
  readonly send = (message: FromThread): void => {
    setImmediate(() => setImmediate(() => this.#post(message)));
  };
}

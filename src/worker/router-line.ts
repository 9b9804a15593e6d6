import type { RouteQuestion } from '../core/routing.js';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** More than this are not waited for: the host has long let the oldest go as asked, and a router may never answer. */
const mostWaiting = 10_000;

/** Asks the router on the other side of the port; an answer nobody waits for any more is dropped. */
export class RouterLine {
  readonly #send: (id: number, question: RouteQuestion) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(send: (id: number, question: RouteQuestion) => void) {
    this.#send = send;
  }

  readonly ask = async (question: RouteQuestion): Promise<unknown> => {
    this.#lastId += 1;
    const id = this.#lastId;
    return await new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#waiting.delete(id - mostWaiting);
      this.#send(id, question);
    });
  };

  answer(id: number, value: unknown): void {
    this.#waiting.get(id)?.resolve(value);
    this.#waiting.delete(id);
  }

  fail(id: number, message: string): void {
    this.#waiting.get(id)?.reject(new Error(message));
    this.#waiting.delete(id);
  }
}

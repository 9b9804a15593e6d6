import { Worker } from 'node:worker_threads';
import type { Estimate, EstimateQuestion } from '../core/estimate.js';
import type { EstimatedUsage } from '../core/timing.js';
import { isTokenizerInstalled } from './tokenizer.js';

/** A record waits for its estimate no longer than this. */
const deadlineMs = 3000;
/** The tokenizer's memory is given back when nobody has asked for so long. */
const idleMs = 30_000;
/** More calls cut at once than this are not estimated: a program that was killed may leave many. */
const mostWaiting = 64;

type Answer = (estimate: EstimatedUsage | null) => void;

/** Counts in a thread of its own, started with the first question: a tokenizer would hold up the traffic. */
export class Estimator {
  readonly #waiting = new Map<number, Answer>();
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 0;
  #isClosed = false;

  /** `null` where there is no tokenizer to count by. */
  get estimate(): Estimate | null {
    return isTokenizerInstalled() ? this.#estimate : null;
  }

  readonly #estimate: Estimate = async (question) => {
    if (this.#isClosed || this.#waiting.size >= mostWaiting) return null;
    clearTimeout(this.#idle);
    return await new Promise<EstimatedUsage | null>((resolve) => this.#ask(question, resolve));
  };

  /** What is being counted goes without. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const id of [...this.#waiting.keys()]) this.#answer(id, null);
    await this.#end();
  }

  #ask(question: EstimateQuestion, resolve: Answer): void {
    const id = this.#nextId++;
    const timer = setTimeout(() => this.#answer(id, null), deadlineMs);
    this.#waiting.set(id, (estimate) => {
      clearTimeout(timer);
      resolve(estimate);
    });
    try {
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, question });
    } catch {
      this.#answer(id, null);
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./entry.js', import.meta.url), {
      name: 'llmtap estimate',
      execArgv: [],
      env: {},
    });
    worker.unref();
    worker.on('message', ({ id, estimate }: { readonly id: number; readonly estimate: EstimatedUsage | null }) =>
      this.#answer(id, estimate),
    );
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      for (const id of this.#waiting.keys()) this.#answer(id, null);
    });
    return worker;
  }

  #answer(id: number, estimate: EstimatedUsage | null): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.(estimate);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#end(), idleMs).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

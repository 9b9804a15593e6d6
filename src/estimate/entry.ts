import { parentPort } from 'node:worker_threads';
import type { EstimateQuestion } from '../core/estimate.js';
import { countTokens } from './tokenizer.js';

/** The program of the thread that counts: one question after the other, since a tokenizer is memory. */
export interface Asked {
  readonly id: number;
  readonly question: EstimateQuestion;
}

let turn: Promise<unknown> = Promise.resolve();
parentPort?.on('message', ({ id, question }: Asked) => {
  turn = turn
    .then(() => countTokens(question))
    .catch(() => null)
    .then((estimate) => parentPort?.postMessage({ id, estimate }));
});

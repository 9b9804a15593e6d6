import { createPublicKey } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { TrackerError } from '../core/errors.js';
import type { Leaf } from './leaf.js';
import type { LeafAnswer, LeafQuestion, LeafWorkerData } from './leaf-worker.js';

/** Makes leaves, off the event loop as long as its worker lives. */
export interface LeafMaker {
  /** @param host a checked name. Rejects with `HOST_CLOSED` after `close`, with `INTERNAL` when no leaf can be made. */
  makeLeaf(host: string, nowMs: number): Promise<Leaf>;
  /** Ends the worker; may be called twice. */
  close(): Promise<void>;
}

interface Waiting {
  readonly question: LeafQuestion;
  readonly resolve: (leaf: Leaf) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens a maker. Its worker starts with the first leaf asked for. It holds the process open only while a leaf is being
 * made. When it cannot start or dies, leaves are made on the event loop, about 1 ms each.
 *
 * @param workerUrl the compiled `leaf-worker`
 */
export function openLeafMaker(data: LeafWorkerData, workerUrl: URL): LeafMaker {
  return new WorkerLeafMaker(data, workerUrl);
}

class WorkerLeafMaker implements LeafMaker {
  readonly #data: LeafWorkerData;
  readonly #workerUrl: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #hasFailed = false;
  #isClosed = false;
  #nextId = 1;

  constructor(data: LeafWorkerData, workerUrl: URL) {
    this.#data = data;
    this.#workerUrl = workerUrl;
  }

  makeLeaf(host: string, nowMs: number): Promise<Leaf> {
    if (this.#isClosed) return Promise.reject(makeClosedError());
    const question: LeafQuestion = { id: this.#nextId++, host, nowMs };
    return new Promise<Leaf>((resolve, reject) => {
      this.#waiting.set(question.id, { question, resolve, reject });
      this.#ask(question);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(makeClosedError());
    this.#waiting.clear();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #ask(question: LeafQuestion): void {
    if (this.#hasFailed) {
      void this.#makeOnLoop(question.id);
      return;
    }
    try {
      this.#worker ??= this.#openWorker();
      this.#worker.ref();
      this.#worker.postMessage(question);
    } catch {
      // No thread to be had, or the platform forbids them: the loop makes the leaf.
      this.#fail();
    }
  }

  #openWorker(): Worker {
    // NOTE: no environment and no flags of ours: a NODE_OPTIONS preload of the user's must not run in, or break, the worker.
    const worker = new Worker(this.#workerUrl, {
      name: 'llmtap leaf',
      workerData: this.#data,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    });
    worker.on('message', (answer: LeafAnswer) => this.#settle(answer));
    worker.once('error', () => this.#fail());
    worker.once('exit', () => this.#fail());
    return worker;
  }

  #settle(answer: LeafAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (waiting === undefined) return;
    if ('leaf' in answer) waiting.resolve(answer.leaf);
    else waiting.reject(makeLeafError(waiting.question.host, answer.problem));
  }

  #fail(): void {
    if (this.#hasFailed || this.#isClosed) return;
    this.#hasFailed = true;
    this.#worker = undefined;
    for (const id of this.#waiting.keys()) void this.#makeOnLoop(id);
  }

  /** One leaf a turn of the loop. The module is loaded only now: node-forge costs a start its milliseconds. */
  async #makeOnLoop(id: number): Promise<void> {
    try {
      const [{ makeIssuer, makeLeaf }, { makeSerial }] = await Promise.all([
        import('./leaf.js'),
        import('./certificate.js'),
      ]);
      await nextTurn();
      const question = this.#waiting.get(id)?.question;
      if (question === undefined) return;
      const leafPublicKey = createPublicKey(this.#data.leafPublicKeyPem);
      const issuer = makeIssuer(this.#data);
      this.#settle({ id, leaf: makeLeaf({ ...question, issuer, leafPublicKey, serial: makeSerial() }) });
    } catch (error) {
      this.#waiting.get(id)?.reject(error);
      this.#waiting.delete(id);
    }
  }
}

function makeLeafError(host: string, problem: string): TrackerError {
  return new TrackerError('INTERNAL', `Could not make a certificate for ${host}: ${problem}`);
}

function makeClosedError(): TrackerError {
  return new TrackerError('HOST_CLOSED', 'Could not make a certificate: the certificate store is closed.');
}

import { Worker } from 'node:worker_threads';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { HostFacts } from '../core/link.js';
import { type FromThread, makeFailure, type ThreadData, type ToThread } from './messages.js';

/**
 * Node's own class, kept from before anything can have replaced it: scopes give Workers their session's variables, and
 * the host's thread belongs to no session. NOTE: the import itself would follow the replacement.
 */
const NodeWorker = Worker;

/** Variables that would put other code than ours into the thread. */
const preloads: ReadonlySet<string> = new Set(['NODE_OPTIONS', 'LLMTAP_HOOK']);

export interface HostThreadOptions {
  readonly url: URL;
  readonly data: ThreadData;
  /** @param reply reaches the thread the message is from, or nobody when that has died */
  readonly onMessage: (message: FromThread, reply: (message: ToThread) => void) => void;
  /** Called once, when it ended without having been asked to. */
  readonly onDeath: (reason: string) => void;
  /** Told of every thread that is started. */
  readonly onThread?: (thread: Worker) => void;
}

/** One life of the host's thread. */
export class HostThread {
  readonly facts: HostFacts;
  /** Resolves when it has ended, whatever ended it. */
  readonly whenEnded: Promise<void>;
  readonly #worker: Worker;
  readonly #end: End;
  #isEnding = false;

  private constructor(worker: Worker, parts: { readonly facts: HostFacts; readonly end: End }, onDeath: () => void) {
    this.#worker = worker;
    this.facts = parts.facts;
    this.#end = parts.end;
    this.whenEnded = new Promise((resolve) => {
      worker.once('exit', () => {
        resolve();
        if (!this.#isEnding) onDeath();
      });
    });
  }

  /** Starts it and waits until its host is open. Rejects with what kept the host from opening, and leaves no thread then. */
  static async open(options: HostThreadOptions): Promise<HostThread> {
    const worker = startWorker(options);
    options.onThread?.(worker);
    const end = watchEnd(worker);
    worker.on('message', (message: FromThread) => {
      options.onMessage(message, (reply) => worker.postMessage(reply));
    });
    const facts = await waitForHello(worker, end);
    // NOTE: one that dies while this thread is blocked says hello and good-bye in one turn of the loop: Node empties the
    // port before it tells of the exit (measured, Node 20.20).
    if (end.hasEnded) throw makeStartError(end.reason);
    const thread = new HostThread(worker, { facts, end }, () => options.onDeath(end.reason));
    worker.unref();
    return thread;
  }

  /** Why it ended; `null` while it lives. */
  get endReason(): string | null {
    return this.#end.hasEnded ? this.#end.reason : null;
  }

  post(message: ToThread): void {
    this.#worker.postMessage(message, message.kind === 'bundle' ? [message.port] : []);
  }

  /** Holds the process open, or does not. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#worker.ref();
    else this.#worker.unref();
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }
}

function startWorker({ url, data }: HostThreadOptions): Worker {
  try {
    // NOTE: no flags of the program's either: what they load or forbid is the program's own. An `env` is read for
    // NODE_OPTIONS anew, and an `execArgv` replaces the process's, `--require` and `--import` included (measured, Node 20.20).
    return new NodeWorker(url, {
      name: 'llmtap host',
      workerData: data,
      env: pickEnv(data.host.env),
      execArgv: [],
    });
  } catch (error) {
    throw new TrackerError('OPTION_INVALID', `Could not start the tap's thread: ${readErrorMessage(error)}`, {
      cause: error,
      hint: 'Give options that are plain data; only the router may be a function.',
    });
  }
}

interface End {
  readonly hasEnded: boolean;
  /** Why it ended. */
  readonly reason: string;
}

/** NOTE: listens before everybody else, so that they know the reason. */
function watchEnd(worker: Worker): End {
  const end = { hasEnded: false, reason: '' };
  worker.on('error', (error: unknown) => {
    end.reason = readErrorMessage(error);
  });
  worker.once('exit', (status) => {
    end.hasEnded = true;
    if (end.reason === '') end.reason = `it ended with status ${status}`;
  });
  return end;
}

async function waitForHello(worker: Worker, end: End): Promise<HostFacts> {
  return await new Promise<HostFacts>((resolve, reject) => {
    let refusal: TrackerError | null = null;
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'hello') resolve(message.facts);
      if (message.kind !== 'refused') return;
      refusal = makeFailure(message.failure);
      void worker.terminate();
    });
    worker.once('exit', () => reject(refusal ?? makeStartError(end.reason)));
  });
}

function makeStartError(reason: string): TrackerError {
  return new TrackerError('INTERNAL', `Could not start the tap's thread: ${reason}.`, { hint: 'Please report it.' });
}

function pickEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !preloads.has(name)) picked[name] = value;
  return picked;
}

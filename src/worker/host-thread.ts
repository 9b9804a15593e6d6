import { Worker } from 'node:worker_threads';
import { TrackerError } from '../core/errors.js';
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
  readonly onMessage: (message: FromThread) => void;
  /** Called once, when it ended without having been asked to. */
  readonly onDeath: (reason: string) => void;
  /** Told of every thread that is started. */
  readonly onThread?: (thread: Worker) => void;
}

/** One life of the host's thread. */
export class HostThread {
  readonly facts: HostFacts;
  readonly #worker: Worker;
  #isEnding = false;

  private constructor(worker: Worker, facts: HostFacts) {
    this.#worker = worker;
    this.facts = facts;
  }

  /** Starts it and waits until its host is open. Rejects with what kept the host from opening. */
  static async open(options: HostThreadOptions): Promise<HostThread> {
    const { data, url } = options;
    // NOTE: no flags of the program's either: what they load or forbid is the program's own.
    const worker = new NodeWorker(url, {
      name: 'llmtap host',
      workerData: data,
      env: pickEnv(data.host.env),
      execArgv: [],
    });
    options.onThread?.(worker);
    let reason = 'it ended';
    let thread: HostThread | null = null;
    worker.on('message', options.onMessage);
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    const facts = await new Promise<HostFacts>((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'hello') resolve(message.facts);
        if (message.kind === 'refused') void worker.terminate().finally(() => reject(makeFailure(message.failure)));
      });
      worker.once('exit', (status) => {
        const died = status > 1 ? `${reason} (status ${status})` : reason;
        reject(
          new TrackerError('INTERNAL', `Could not start the tap's thread: ${died}.`, { hint: 'Please report it.' }),
        );
        if (thread !== null && !thread.#isEnding) options.onDeath(died);
      });
    });
    thread = new HostThread(worker, facts);
    worker.unref();
    return thread;
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

function pickEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && !preloads.has(name)) picked[name] = value;
  return picked;
}

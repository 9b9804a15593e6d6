import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TrackerError } from '../core/errors.js';
import type { Host, OpenSession } from '../core/host.js';
import type { SessionCounts } from '../core/session.js';
import type { TrackerQueries } from '../core/tracker-queries.js';
import { carryFailure, type FromThread, type RequestName, type Requests, type ToThread } from './messages.js';

export interface ThreadPorts {
  readonly host: Host;
  readonly queries: TrackerQueries;
  readonly send: (message: FromThread) => void;
}

/** Records in one message: few when bodies come along, for each may be megabytes. */
const pageSize = 256;
const pageSizeWithBodies = 8;
/** How long a query waits for a ledger that another process holds. */
const patienceMs = 5000;
const retryMs = 20;

type Answers = {
  readonly [Name in RequestName]: (
    asked: Requests[Name]['asked'],
    id: number,
  ) => Promise<Requests[Name]['answer']> | Requests[Name]['answer'];
};

/** Answers what the agent side asks of its host. */
export class ThreadRequests {
  readonly #ports: ThreadPorts;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #answers: Answers;

  constructor(ports: ThreadPorts) {
    this.#ports = ports;
    const { host, queries } = ports;
    this.#answers = {
      openSession: async (options) => await this.#openSession(options),
      countSession: ({ sessionId }) => this.#requireSession(sessionId).counts(),
      closeSession: async (asked) => await this.#closeSession(asked),
      registerProvider: (registration) => {
        host.registerProvider(registration);
        return null;
      },
      records: async (asked, id) => await this.#sendRecords(asked, id),
      usage: async (filter) => Object.entries(await askPatiently(() => queries.usage(filter))),
      cachedLatencyMs: async (filter) => await askPatiently(() => queries.cachedLatencyMs(filter)),
      summary: async (filter) => await askPatiently(() => queries.summarise(filter)),
      runs: async () => await askPatiently(() => queries.listRuns()),
      clear: async () => await this.#clear(),
      clearCache: () => host.cache.clear(),
      flushCache: () => host.cache.flush(),
      close: async () => {
        await host.close();
        queries.close();
        return null;
      },
    };
  }

  async answer({ id, name, asked }: Extract<ToThread, { kind: 'request' }>): Promise<void> {
    try {
      if (isQuery(name)) await this.#settle();
      const answer = this.#answers[name] as (asked: unknown, id: number) => unknown;
      this.#ports.send({ kind: 'answer', id, value: await answer(asked, id) });
    } catch (error) {
      this.#ports.send({ kind: 'failure', id, failure: carryFailure(error) });
    }
  }

  /** The ledger writes at the end of a turn: what was announced in this one is there in the next, or nothing is said. */
  async #settle(): Promise<void> {
    await nextTurn();
    if (await this.#ports.host.flush(patienceMs)) return;
    throw new TrackerError(
      'STORE_LOCKED',
      `Could not ask the ledger: calls that are to be in it have waited for ${patienceMs} ms while another process holds it.`,
      { hint: 'End that process, or ask again.' },
    );
  }

  async #openSession(options: Requests['openSession']['asked']): Promise<Requests['openSession']['answer']> {
    const open = await this.#ports.host.openSession(options);
    const { session, port, credentials } = open;
    this.#sessions.set(session.sessionId, open);
    return { session, port, credentials };
  }

  async #closeSession({ sessionId, ...end }: Requests['closeSession']['asked']): Promise<SessionCounts | null> {
    // One that is closed already has been closed as asked.
    const open = this.#sessions.get(sessionId);
    await open?.close(end);
    this.#sessions.delete(sessionId);
    return open?.counts() ?? null;
  }

  #requireSession(sessionId: string): OpenSession {
    const open = this.#sessions.get(sessionId);
    if (open !== undefined) return open;
    throw new TrackerError('SESSION_CLOSED', `Could not count what passed through session ${sessionId}: it is closed.`);
  }

  /** A batch a turn of the loop: calls go on meanwhile. */
  async #clear(): Promise<number> {
    const isEnough = makeDeadline();
    const batches = await beginPatiently(() => this.#ports.queries.clear(isEnough), isEnough);
    let deleted = 0;
    for (const gone of batches) {
      deleted += gone;
      await (gone === 0 ? sleep(retryMs) : nextTurn());
    }
    return deleted;
  }

  /** A page a turn of the loop, too. */
  async #sendRecords({ filter, ...options }: Requests['records']['asked'], id: number): Promise<null> {
    const { queries, send } = this.#ports;
    const size = options.bodies === true ? pageSizeWithBodies : pageSize;
    let page = [];
    for (const record of await beginPatiently(() => queries.listCalls(filter, options))) {
      page.push(record);
      if (page.length < size) continue;
      send({ kind: 'page', id, records: page });
      page = [];
      await nextTurn();
    }
    send({ kind: 'page', id, records: page });
    return null;
  }
}

const queryNames: ReadonlySet<RequestName> = new Set([
  'records',
  'usage',
  'cachedLatencyMs',
  'summary',
  'runs',
  'clear',
]);

function makeDeadline(): () => boolean {
  const untilMs = performance.now() + patienceMs;
  return () => performance.now() >= untilMs;
}

/** Asks again, a few turns of the loop later, while another process holds the ledger: calls go on meanwhile. */
async function askPatiently<T>(ask: () => T, isEnough: () => boolean = makeDeadline()): Promise<T> {
  for (;;) {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof TrackerError) || error.code !== 'STORE_LOCKED' || isEnough()) throw error;
      await sleep(retryMs);
    }
  }
}

/** A list that is read lazily meets the lock with its first item. */
async function beginPatiently<T>(open: () => Iterable<T>, isEnough?: () => boolean): Promise<Iterable<T>> {
  return await askPatiently(() => {
    const rest = open()[Symbol.iterator]();
    const first = rest.next();
    return resume(first, rest);
  }, isEnough);
}

function* resume<T>(first: IteratorResult<T, unknown>, rest: Iterator<T>): Generator<T> {
  for (let step = first; step.done !== true; step = rest.next()) yield step.value;
}

function isQuery(name: RequestName): boolean {
  return queryNames.has(name);
}

import { setImmediate as nextTurn } from 'node:timers/promises';
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
/** How long a query waits for records that wait for the ledger's file. */
const flushMs = 1000;

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
      closeSession: async ({ sessionId, drain }) => await this.#closeSession(sessionId, drain),
      registerProvider: (registration) => {
        host.registerProvider(registration);
        return null;
      },
      records: async (asked, id) => await this.#sendRecords(asked, id),
      usage: (filter) => Object.entries(queries.usage(filter)),
      cachedLatencyMs: (filter) => queries.cachedLatencyMs(filter),
      summary: (filter) => queries.summarise(filter),
      runs: () => queries.listRuns(),
      clear: async () => await this.#clear(),
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

  /** The ledger writes at the end of a turn: what was announced in this one is there in the next. */
  async #settle(): Promise<void> {
    await nextTurn();
    await this.#ports.host.flush(flushMs);
  }

  async #openSession(options: Requests['openSession']['asked']): Promise<Requests['openSession']['answer']> {
    const open = await this.#ports.host.openSession(options);
    const { session, port, credentials } = open;
    this.#sessions.set(session.sessionId, open);
    return { session, port, credentials };
  }

  async #closeSession(sessionId: string, drain: boolean): Promise<SessionCounts | null> {
    // One that is closed already has been closed as asked.
    const open = this.#sessions.get(sessionId);
    await open?.close({ drain });
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
    let deleted = 0;
    for (const gone of this.#ports.queries.clear()) {
      deleted += gone;
      await nextTurn();
    }
    return deleted;
  }

  /** A page a turn of the loop, too. */
  async #sendRecords({ filter, ...options }: Requests['records']['asked'], id: number): Promise<null> {
    const { queries, send } = this.#ports;
    const size = options.bodies === true ? pageSizeWithBodies : pageSize;
    let page = [];
    for (const record of queries.listCalls(filter, options)) {
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

function isQuery(name: RequestName): boolean {
  return queryNames.has(name);
}

import type { CallRecord } from '../core/call-record.js';
import type { ErrorCode } from '../core/errors.js';
import type { RunVerdict, SessionOptions } from '../core/host.js';
import type { LedgerReader } from '../core/ledger.js';
import type { GivenEvent } from '../core/run-events.js';
import type { RunOutcome, Session } from '../core/session.js';
import type { EventDesk } from './event-desk.js';
import { SessionRun } from './session-run.js';

export interface SessionRunsPorts {
  readonly desk: EventDesk;
  readonly nowMs: () => number;
  readonly openLedger: () => LedgerReader;
  /** Whose variables say which session this program itself runs in, if it does. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onFault: (session: Session, code: ErrorCode, message: string, hint: string | null) => void;
}

/** Ways in which a shell says that a program was interrupted: 128 and SIGHUP, SIGINT, SIGQUIT, SIGTERM. */
const interrupted: ReadonlySet<number> = new Set([129, 130, 131, 143]);

/** The runs of the sessions that are for a config, and the events that callers and the wire make of them. */
export class SessionRuns {
  readonly #ports: SessionRunsPorts;
  readonly #runs = new Map<string, { readonly session: Session; readonly run: SessionRun }>();

  constructor(ports: SessionRunsPorts) {
    this.#ports = ports;
  }

  /**
   * One that is restored goes on from what is on record of it. One inside a session of the same run of the same config, whose
   * calls pass through both, leaves what the wire says of them to that one.
   */
  open(session: Session, { run: facts = {}, restore }: SessionOptions): void {
    const { configKey } = session;
    if (configKey === null || facts.statedBy === 'caller' || this.#isInside({ ...session, configKey })) return;
    const run = new SessionRun({ ...session, configKey }, facts);
    this.#runs.set(session.sessionId, { session, run });
    if (restore !== undefined) this.#readBack(session, run);
  }

  note(record: CallRecord): void {
    this.#runs.get(record.sessionId)?.run.note(record);
  }

  /** Events of callers. */
  give(events: readonly GivenEvent[], onTaken?: () => void): void {
    for (const event of events) if (this.#runs.size > 0) this.#hear(event);
    this.#ports.desk.give(events, onTaken);
  }

  /** Ends the run of a session whose calls are all on record: tells what the wire knows; `null` where there is none. */
  async close(
    { sessionId }: Session,
    { exitCode, verdict = null }: { readonly exitCode: number | null; readonly verdict?: RunVerdict | null },
  ): Promise<RunOutcome | null> {
    const { desk, nowMs, onFault } = this.#ports;
    const found = this.#runs.get(sessionId);
    if (found === undefined) return null;
    this.#runs.delete(sessionId);
    const { run, session } = found;
    this.#hearOthers(session, run);
    const outcome = run.decide(verdict ?? judgeExit(exitCode));
    desk.give(run.conclude(outcome, { nowMs: nowMs() }));
    const untold = run.untoldToolCalls;
    if (untold > 0) {
      onFault(
        session,
        'EVENTS_DROPPED',
        `${untold} tool calls of a run are counted and not told: it made too many.`,
        null,
      );
    }
    await desk.settle();
    return outcome;
  }

  /** By the ids of the run: a caller may have made the tracker by hand, or from a token. */
  #hear(event: GivenEvent): void {
    const ids = readIds(event.data);
    for (const { session, run } of this.#runs.values()) {
      if (session.runId === ids.runId && session.configKey === ids.configKey) run.hear(event.name);
    }
  }

  #isInside({ runId, configKey }: Session & { readonly configKey: string }): boolean {
    const { LLMTAP_SESSION_ID: sessionId = '', LLMTAP_RUN_ID: outerRunId } = this.#ports.env;
    let isOpen = false;
    if (sessionId !== '' && outerRunId === runId) {
      this.#read((ledger) => {
        isOpen = ledger.isSessionOpen({ sessionId, runId, configKey });
      });
    }
    return isOpen;
  }

  #readBack({ sessionId }: Session, run: SessionRun): void {
    this.#read((ledger) => {
      for (const record of ledger.listCalls({ sessionId })) run.note(record);
    });
  }

  /** What trackers in other processes said of the run, and in this one before a thread died. */
  #hearOthers({ runId, configKey }: Session, run: SessionRun): void {
    if (configKey === null) return;
    this.#read((ledger) => {
      for (const name of ledger.listStated({ runId, configKey })) run.hear(name);
    });
  }

  #read(work: (ledger: LedgerReader) => void): void {
    const ledger = this.#ports.openLedger();
    try {
      work(ledger);
    } catch {
      // A ledger that cannot be read is told of by who writes it; the run goes on from here.
    } finally {
      ledger.close();
    }
  }
}

/** The exit status of a session's command; one without is judged by its calls. */
function judgeExit(exitCode: number | null): RunVerdict | null {
  if (exitCode === null || exitCode === 0) return null;
  return interrupted.has(exitCode) ? 'aborted' : 'error';
}

function readIds(data: string): { readonly runId?: unknown; readonly configKey?: unknown } {
  const value: unknown = JSON.parse(data);
  return typeof value === 'object' && value !== null ? value : {};
}

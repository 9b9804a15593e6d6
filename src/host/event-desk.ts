import { redactText } from '../call/redaction.js';
import { makeAmbientSet } from '../call/secrets.js';
import type { JsonValue } from '../core/call-record.js';
import type { ErrorCode } from '../core/errors.js';
import type { TrackerEvent } from '../core/events.js';
import type { EventClaim, EventSaved, LedgerWriter } from '../core/ledger.js';
import { isObject } from '../core/option-checks.js';
import { findFact, type GivenEvent, type RunEvent, readGivenEvent } from '../core/run-events.js';
import { waitAtMost } from '../core/wait-at-most.js';
import { EventIntake } from './event-intake.js';
import type { Exporting } from './exporting.js';
import { LeafRedactor } from './redact-leaves.js';

export interface EventDeskPorts {
  readonly ledger: Pick<LedgerWriter, 'saveEvent' | 'flush'>;
  readonly exporting: Exporting;
  readonly announce: (event: TrackerEvent) => void;
  readonly onFault: (code: ErrorCode, message: string, hint: string | null) => void;
  /** What `collectAmbientSecrets` found. */
  readonly ambientSecrets: readonly string[];
}

/** How long an exporter that is full and does not fail is waited for, and the ledger's file when a session ends. */
const patienceMs = 1000;

/**
 * Takes events of runs: the ledger first, which knows whether a fact is still to be stated, then listeners and exporters.
 * What the ledger could not write is announced all the same, unless it was to be stated once in all its run.
 */
export class EventDesk {
  readonly #ports: EventDeskPorts;
  readonly #intake: EventIntake;
  readonly #redactor: LeafRedactor;
  /** Given to the ledger, and not heard of yet. */
  readonly #unsaved = new Set<(saved: EventSaved) => void>();
  #whenSaved: (() => void) | null = null;
  /** An exporter has kept everybody waiting; it is not waited for again until it has room. */
  #isImpatient = false;

  constructor(ports: EventDeskPorts) {
    this.#ports = ports;
    const secrets = makeAmbientSet(ports.ambientSecrets);
    this.#redactor = new LeafRedactor((text) => redactText(text, secrets));
    this.#intake = new EventIntake({
      take: (event) => this.#take(event),
      whenReady: () => this.#whenReady(),
      onDropped: (count) =>
        ports.onFault(
          'EVENTS_DROPPED',
          `${count} event${count === 1 ? '' : 's'} of runs came faster than they could be written, and are lost.`,
          'Track fewer events at once.',
        ),
    });
  }

  give(events: readonly GivenEvent[], onTaken?: () => void): void {
    this.#intake.give(events, onTaken);
  }

  /** Resolves when what was given has been written, or the ledger's file has been waited for long enough. */
  async settle(): Promise<void> {
    await this.#intake.settle();
    if (this.#unsaved.size === 0) return;
    const saved = new Promise<void>((resolve) => {
      this.#whenSaved = resolve;
    });
    await Promise.race([saved, this.#ports.ledger.flush(patienceMs).then(() => undefined)]);
  }

  /** As `settle`; what is not written by then is announced as if it were lost. */
  async close(): Promise<void> {
    await this.settle();
    for (const onSaved of [...this.#unsaved]) onSaved('lost');
  }

  #take(given: GivenEvent): void {
    const event = this.#read(given);
    const claim = makeClaim(event, given.owner);
    const onSaved = (saved: EventSaved): void => {
      if (!this.#unsaved.delete(onSaved)) return;
      if (saved === 'kept' || (saved === 'lost' && claim?.dedupe !== 'run')) {
        this.#ports.announce({ type: 'run.tracked', event });
      }
      if (this.#unsaved.size === 0) this.#whenSaved?.();
    };
    this.#unsaved.add(onSaved);
    this.#ports.ledger.saveEvent(event, claim, onSaved);
  }

  #read(given: GivenEvent): RunEvent {
    const event = readGivenEvent(given);
    return Object.freeze({
      ...event,
      name: this.#redactor.redactText(event.name),
      data: this.#redactor.redact(event.data),
      context: this.#redactor.redact(event.context),
    });
  }

  async #whenReady(): Promise<void> {
    const roomy = this.#ports.exporting.whenRoomy();
    if (roomy === null) this.#isImpatient = false;
    else if (!this.#isImpatient) this.#isImpatient = !(await waitAtMost(patienceMs, roomy));
  }
}

function makeClaim({ name, runId, source, sessionId, data }: RunEvent, owner: string | null): EventClaim | null {
  const kind = findFact(name);
  if (kind === null || runId === null) return null;
  // Scopes of a tracker with a run's id have it all, each for a config of its own: what is said of one is not of another.
  const { configKey = null } = isObject(data) ? (data as { readonly configKey?: JsonValue }) : {};
  const fact = typeof configKey === 'string' ? `${kind} of ${configKey}` : kind;
  if (owner !== null) return { fact, owner, dedupe: 'run' };
  return { fact, owner: source === 'wire' ? (sessionId ?? 'wire') : 'caller', dedupe: 'tracker' };
}

import { randomBytes, randomUUID } from 'node:crypto';
import net from 'node:net';
import { redactCommand } from '../call/redaction.js';
import { systemClock } from '../core/clock.js';
import { TrackerError } from '../core/errors.js';
import type { OpenSession, SessionOptions } from '../core/host.js';
import type { Session } from '../core/session.js';
import { makeSessionId } from '../core/session-id.js';
import { isLoopback } from '../proxy/connector.js';
import type { Door } from '../proxy/door.js';

type End = NonNullable<Parameters<OpenSession['close']>[0]>;

export interface OpenedParts {
  readonly session: Session;
  readonly door: Door;
  readonly plan: DoorPlan;
  /** Called once. */
  readonly onClose: (end: End) => Promise<void>;
  /** Cuts what `onClose` waits for. */
  readonly onCut: () => Promise<void>;
}

/** A session and its door, until it is closed. */
export class OpenedSession implements OpenSession {
  readonly session: Session;
  readonly port: number;
  readonly proxyUrl: string;
  readonly credentials: string | null;
  readonly #parts: OpenedParts;
  #closing: Promise<void> | null = null;

  constructor(parts: OpenedParts) {
    this.#parts = parts;
    this.session = parts.session;
    this.port = parts.door.port;
    this.credentials = parts.plan.credentials;
    const login = this.credentials === null ? '' : `${this.credentials}@`;
    this.proxyUrl = `http://${login}${makeReachable(parts.plan.bindAddress)}:${this.port}`;
  }

  counts() {
    return this.#parts.door.counts();
  }

  /** A call of it is on record. */
  noteRecorded(): void {
    this.#parts.door.count('recorded');
  }

  /** A request that was taken for none is a call. */
  noteUnlisted(): void {
    this.#parts.door.count('passedRequests', -1);
    this.#parts.door.count('calls');
  }

  close(end: End = {}): Promise<void> {
    if (this.#closing === null) this.#closing = this.#parts.onClose(end);
    else if (end.drain !== true) void this.#parts.onCut();
    return this.#closing;
  }
}

/** Where a session listens, and for whom. */
export interface DoorPlan {
  readonly bindAddress: string;
  readonly credentials: string | null;
  /** Taken when it is free. */
  readonly port?: number;
  readonly isSealed: boolean;
  readonly refusesSockets: boolean;
  readonly mayAnswer: boolean;
}

/**
 * Credentials are asked for where it is said, and always where others than this machine can come. Throws
 * `OPTION_INVALID` for what is no address.
 */
export function planDoor(options: SessionOptions): DoorPlan {
  const { bindAddress = '127.0.0.1', restore } = options;
  if (net.isIP(bindAddress) === 0) {
    throw new TrackerError('OPTION_INVALID', `Could not listen on "${bindAddress}": that is no address.`, {
      hint: 'Give an IP address of this machine, such as 172.17.0.1.',
    });
  }
  const isSealed = options.cassette?.mode === 'replay';
  // A recording may have the answer, or is to have the request whose provider cannot be reached.
  const hasCassette = options.cassette !== undefined && !isSealed;
  const mayAnswer = options.cache?.mode === 'on' || options.cache?.mode === 'only' || hasCassette;
  const plan = { bindAddress, isSealed, refusesSockets: options.cache?.mode === 'only', mayAnswer };
  if (restore !== undefined) return { ...plan, credentials: restore.credentials, port: restore.port };
  const isAsked = options.credentials === true || !isLoopback(bindAddress);
  return { ...plan, credentials: isAsked ? `llmtap:${randomBytes(24).toString('base64url')}` : null };
}

/** An address to connect to: one that means every address of this machine is reached by loopback's. */
function makeReachable(bindAddress: string): string {
  if (bindAddress === '0.0.0.0') return '127.0.0.1';
  if (!bindAddress.includes(':')) return bindAddress;
  return bindAddress === '::' ? '[::1]' : `[${bindAddress}]`;
}

/** Makes the session's facts: ids not given are `null`, but for the run's, which is a new UUIDv4. */
export function makeSession(options: SessionOptions, ambientSecrets: readonly string[]): Session {
  if (options.restore !== undefined) return Object.freeze({ ...options.restore.session });
  return Object.freeze({
    sessionId: options.sessionId ?? makeSessionId(),
    openedAt: systemClock.nowIso(),
    command: options.command === undefined ? null : redactCommand(options.command, ambientSecrets),
    runId: options.runId ?? randomUUID(),
    configKey: options.configKey ?? null,
    variationKey: options.variationKey ?? null,
    version: options.version ?? null,
    graphKey: options.graphKey ?? null,
    graphRunId: options.graphRunId ?? null,
    dataId: options.dataId ?? null,
    comboId: options.comboId ?? null,
    agentId: options.agentId ?? null,
  });
}

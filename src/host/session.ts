import { randomBytes, randomUUID } from 'node:crypto';
import { redactCommand } from '../call/redaction.js';
import { systemClock } from '../core/clock.js';
import type { OpenSession, SessionOptions } from '../core/host.js';
import type { Session } from '../core/session.js';
import type { Door } from '../proxy/door.js';

/** A session and its door, until it is closed. */
export class OpenedSession implements OpenSession {
  readonly session: Session;
  readonly port: number;
  readonly proxyUrl: string;
  readonly credentials: string | null;
  readonly #door: Door;
  readonly #onClose: (exitCode: number | null) => Promise<void>;
  #closing: Promise<void> | null = null;

  constructor(parts: {
    readonly session: Session;
    readonly door: Door;
    readonly credentials: string | null;
    readonly onClose: (exitCode: number | null) => Promise<void>;
  }) {
    this.session = parts.session;
    this.#door = parts.door;
    this.port = parts.door.port;
    this.credentials = parts.credentials;
    this.proxyUrl = `http://${parts.credentials === null ? '' : `${parts.credentials}@`}127.0.0.1:${this.port}`;
    this.#onClose = parts.onClose;
  }

  counts() {
    return this.#door.counts();
  }

  close(end: { readonly exitCode?: number } = {}): Promise<void> {
    this.#closing ??= this.#onClose(end.exitCode ?? null);
    return this.#closing;
  }
}

/** Makes the session's facts: ids not given are `null`, but for the run's, which is a new UUIDv4. */
export function makeSession(options: SessionOptions, ambientSecrets: readonly string[]): Session {
  return Object.freeze({
    sessionId: `sess_${randomBytes(6).toString('hex')}`,
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

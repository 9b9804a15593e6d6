import type { SessionCaching } from '../call/call-caching.js';
import type { ResponseCache } from '../core/call-cache.js';
import type { CassetteUse } from '../core/cassette.js';
import { systemClock } from '../core/clock.js';
import { type ErrorCode, readErrorMessage } from '../core/errors.js';
import type { Session } from '../core/session.js';
import type { SocketSink } from '../core/socket.js';
import { CassetteWriter, makeInvalidCassette, readCassette } from '../replay/cassette-file.js';
import { type RecordingOwner, removeLeftParts } from '../replay/parts.js';
import { Player } from '../replay/player.js';
import { makeRecorder } from '../replay/recorder.js';
import type { CassetteSockets } from '../replay/sockets.js';
import { findRecordingOwner } from './recording-owner.js';
import { wireTools } from './wire-tools.js';

type OnFault = (sessionId: string | null, code: ErrorCode, message: string, hint: string | null) => void;

interface Running {
  readonly cache: Pick<ResponseCache, 'open'>;
  readonly sockets: CassetteSockets;
  /** Work on calls that have ended. */
  readonly held: Set<Promise<void>>;
  /** Writes what was recorded; absent where nothing is. */
  readonly close?: () => Promise<void>;
}

/** What is decoded of a body at most. */
const maxDecodedBytes = 128 * 1024 * 1024;

/** The cassettes of a host's sessions. */
export class SessionCassettes {
  readonly #running = new Map<Session, Running>();
  readonly #onFault: OnFault;

  constructor(onFault: OnFault) {
    this.#onFault = onFault;
  }

  /**
   * Rejects with `CASSETTE_NOT_FOUND`, `CASSETTE_INVALID` or `CASSETTE_UNWRITABLE`.
   *
   * @param isAgain whether the session was one of a host that died, with what it had recorded or played
   */
  async add(session: Session, use: CassetteUse, isAgain: boolean): Promise<void> {
    const held = new Set<Promise<void>>();
    const ports = {
      openDecoder: (coding: string | null, sink: (bytes: Buffer) => void) =>
        wireTools.openDecoder(coding, sink, { maxDecodedBytes }),
      openSocketMessages: (extensions: string | null, sink: SocketSink) =>
        wireTools.openSocketMessages(extensions, sink),
      clockMs: () => systemClock.monotonicMs(),
      hold: (work: Promise<void>) => hold(held, work),
    };
    const owner = findRecordingOwner();
    const tell = (code: ErrorCode, message: string, hint: string): void =>
      this.#onFault(session.sessionId, code, message, hint);
    await sweep(use.path, owner, tell);
    if (isAgain) tell('CASSETTE_INCOMPLETE', explainAgain(use), 'Run it again.');
    if (use.mode === 'record') this.#running.set(session, await openRecorder(use, { held, ports, owner, tell }));
    else this.#running.set(session, await openPlayer({ ...use, mode: use.mode }, { held, ports, owner, tell }));
  }

  find(session: Session): SessionCaching | null {
    const running = this.#running.get(session);
    // The mode says nothing to a cassette, but that it is used.
    return running === undefined ? null : { cache: running.cache, use: { mode: 'on' } };
  }

  /** `null` for a session that neither records nor plays. */
  findSockets(session: Session): CassetteSockets | null {
    return this.#running.get(session)?.sockets ?? null;
  }

  async remove(session: Session): Promise<void> {
    const running = this.#running.get(session);
    if (running === undefined) return;
    await Promise.allSettled(running.held);
    await running.close?.();
    this.#running.delete(session);
  }
}

interface Parts {
  readonly held: Set<Promise<void>>;
  readonly ports: Parameters<typeof makeRecorder>[0] extends infer P ? Omit<P, 'add' | 'onUnrecorded'> : never;
  readonly owner: RecordingOwner;
  readonly tell: (code: ErrorCode, message: string, hint: string) => void;
}

/** Tells of recordings of this name whose programs were killed, and removes what they left. */
async function sweep(path: string, owner: RecordingOwner, tell: Parts['tell']): Promise<void> {
  const left = await removeLeftParts(path, owner);
  if (left === 0) return;
  const message = `${left === 1 ? 'A recording' : `${left} recordings`} of ${path} ended with a killed program: what was left is removed.`;
  tell('CASSETTE_INCOMPLETE', message, 'Record it again.');
}

async function openRecorder(
  { path, normalise = {} }: CassetteUse,
  { held, ports, owner, tell }: Parts,
): Promise<Running> {
  const writer = await CassetteWriter.open(path, normalise, {
    recordedAt: systemClock.nowIso(),
    owner,
    onFailure: (error) =>
      tell('CASSETTE_UNWRITABLE', `Could not record to ${path}: ${readErrorMessage(error)}.`, 'Record it again.'),
  });
  const cache = makeRecorder({
    ...ports,
    add: (interaction) => writer.add(interaction),
    onUnrecorded: (what) =>
      tell('CASSETTE_INCOMPLETE', `A call is not in the recording: ${what}`, 'A replay will not have it.'),
  });
  const close = async (): Promise<void> => {
    if ((await writer.close()) || writer.hasFailed) return;
    const message = `The recording ${path} was left as it was, for this time nothing was recorded.`;
    tell('CASSETTE_INCOMPLETE', message, 'To have none, delete the file.');
  };
  return { cache, sockets: { hear: cache.hear }, held, close };
}

async function openPlayer(
  use: CassetteUse & { readonly mode: 'replay' | 'replay-or-live' },
  { held, ports, tell }: Parts,
): Promise<Running> {
  const cassette = await readCassette(use.path);
  const onMiss = (message: string): void =>
    tell('REPLAY_MISSED', message, 'Record it again, or set aside what changes (--normalise).');
  try {
    const cache = new Player(cassette, use, { ...ports, onMiss });
    return { cache, sockets: cache, held };
  } catch (cause) {
    throw makeInvalidCassette(use.path, 'a request in it is nested too deeply', cause);
  }
}

function explainAgain({ mode }: CassetteUse): string {
  return mode === 'record'
    ? 'The recording begins anew, for the tap’s thread had ended: calls of before are not in it.'
    : 'The replay begins anew, for the tap’s thread had ended: each request gets its first answer again.';
}

function hold(held: Set<Promise<void>>, work: Promise<void>): void {
  const settled = work.catch(() => undefined).finally(() => held.delete(settled));
  held.add(settled);
}

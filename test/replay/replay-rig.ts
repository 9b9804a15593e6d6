import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CassetteUse } from '../../src/core/cassette.js';
import type { OpenSession } from '../../src/core/host.js';
import { type AskOptions, ask } from '../fixtures/proxy-client.js';
import { chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

export const json = { 'content-type': 'application/json' };

export type ReplayRig = Rig & {
  readonly path: string;
  /** One call through a session. */
  call(session: OpenSession, options?: Partial<AskOptions>): ReturnType<typeof ask>;
  /** Runs calls in a session that records them, and closes it. */
  record(work: (session: OpenSession) => Promise<unknown>, use?: Partial<CassetteUse>): Promise<void>;
  /** A session that plays what was recorded. */
  replay(use?: Partial<CassetteUse>): Promise<OpenSession>;
  readCassette(): string;
};

/** Closed when its test has finished, or, where tests share it, by whoever opened it. */
export async function openReplayRig({
  isShared = false,
  ...options
}: Parameters<typeof openRig>[0] & { readonly isShared?: boolean } = {}): Promise<ReplayRig> {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-replay-'));
  const path = join(folder, 'cassettes', 'one.jsonl');
  const rig = await openRig(options);
  const close = async (): Promise<void> => {
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
  };
  if (!isShared) onTestFinished(close);
  return {
    ...rig,
    close,
    path,
    call: async (session, options = {}) =>
      await ask({ port: session.port, ca: rig.ca, body: chatRequest, headers: json, ...options }),
    record: async (work, use = {}) => {
      const session = await rig.openSession({ cassette: { mode: 'record', path, ...use } });
      await work(session);
      await session.close({ drain: true });
    },
    replay: async (use = {}) => await rig.openSession({ cassette: { mode: 'replay', path, ...use } }),
    readCassette: () => readFileSync(path, 'utf8'),
  };
}

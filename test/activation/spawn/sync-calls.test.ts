import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import { makeSessionEnvironment } from '../../../src/activation/spawn/session-environment.js';
import type { CallRecord } from '../../../src/core/call-record.js';
import type { ScopedSession } from '../../../src/core/scope.js';
import type { Session } from '../../../src/core/session.js';
import { type CompiledHost, compileHost } from '../../fixtures/compiled-host.js';
import { chatReply } from '../../fixtures/replies.js';
import { writeHook } from '../../fixtures/spawn-session.js';
import { findAgent, importWays, type Ways } from './load-agents.js';

/** What a host in a process of its own tells of itself. */
interface Facts {
  readonly session: Session;
  readonly proxyUrl: string;
  readonly port: number;
  readonly caPath: string;
  readonly bundlePath: string;
  readonly extraCaPath: string;
}

let home: string;
let compiled: CompiledHost;
let host: ChildProcess;
let session: ScopedSession;
let ways: Ways;
let closeAll: () => void;

async function hear<T>(): Promise<T> {
  const [message] = (await once(host, 'message')) as [T];
  return message;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-sync-'));
  compiled = compileHost();
  host = fork(findAgent('host.mjs'), [compiled.url, home, chatReply]);
  const facts = await hear<Facts>();
  const environment = makeSessionEnvironment({
    ...facts,
    home,
    sessionId: facts.session.sessionId,
    runId: facts.session.runId,
    proxyUrl: () => facts.proxyUrl,
    bundleFor: () => facts.bundlePath,
    hookPath: writeHook(home),
    registered: () => [],
  });
  session = {
    session: facts.session,
    isOpen: true,
    force: false,
    door: { host: '127.0.0.1', port: facts.port, authorization: null },
    caPem: readFileSync(facts.caPath, 'utf8'),
    bundlePath: facts.bundlePath,
    whenServing: () => undefined,
    isProvider: () => false,
    makeChildVariables: (parentEnv) => environment.makeChildVariables(parentEnv),
    noteDescendant: () => undefined,
    noteOpening: () => () => undefined,
    announceFault: (_code, message) => expect.fail(message),
  };
  ways = { ...(await importWays('by-namespace.mjs')), ...(await importWays('by-package.mjs')) };
  const undo = installSpawn();
  closeAll = () => {
    undo();
    environment.close();
  };
});
afterAll(async () => {
  closeAll();
  host.disconnect();
  await once(host, 'exit');
  compiled.remove();
  rmSync(home, { recursive: true, force: true });
});

async function readRecords(): Promise<CallRecord[]> {
  host.send('records');
  return (await hear<{ records: CallRecord[] }>()).records;
}

describe('a child its starter waits for', () => {
  it.each(['spawnSync', 'execSync', 'execFileSync', 'execa sync', 'cross-spawn sync'])(
    'is recorded when the host runs beside it: %s',
    async (name) => {
      const before = await readRecords();
      const text = await runInScope(session, async () => ways[name]?.(findAgent('call.cjs')));
      expect(text).toBe('Hello.');
      const records = (await readRecords()).slice(before.length);
      expect(records).toEqual([expect.objectContaining({ runId: session.session.runId, requestedModel: 'gpt-4o' })]);
    },
  );
});

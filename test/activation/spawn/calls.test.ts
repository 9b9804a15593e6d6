import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import type { CallRecord } from '../../../src/core/call-record.js';
import { chatReply, chatRequest } from '../../fixtures/replies.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { openSpawnSession, type SpawnSession } from '../../fixtures/spawn-session.js';
import { hasProgram } from '../tunnel-lab.js';
import { findAgent, importWays, readChildEnv, requireWays, type Ways } from './load-agents.js';

let rig: Rig;
let ways: Ways;
let undo: () => void;

beforeAll(async () => {
  rig = await openRig();
  rig.upstream.handler = (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(chatReply));
  };
  ways = { ...(await importWays('by-name.mjs')), ...(await importWays('by-package.mjs')) };
  undo = installSpawn();
});
afterAll(async () => {
  undo();
  await rig.close();
});

/** Runs in a session of its own and gives what it recorded. */
async function recordOf(work: (session: SpawnSession) => Promise<string>): Promise<[string, CallRecord[]]> {
  const open = await rig.openSession();
  const session = openSpawnSession(rig, { open });
  const text = await runInScope(session, () => work(session));
  await session.whenAlone();
  session.close();
  await open.close();
  return [text, rig.records.filter((record) => record.sessionId === open.session.sessionId)];
}

const expected = [expect.objectContaining({ requestedModel: 'gpt-4o', status: 200 })];

describe('a child of a scope', () => {
  const agents = ['call.cjs', 'call-https.cjs'];
  const names = [
    'spawn',
    'exec',
    'execFile',
    'fork',
    'promisified exec',
    'promisified execFile',
    'execa',
    'cross-spawn',
  ];
  it.each(names.flatMap((name) => agents.map((agent) => ({ name, agent }))))(
    'of $name has its call recorded under the session ($agent)',
    async ({ name, agent }) => {
      const [text, records] = await recordOf(() => ways[name]?.(findAgent(agent)) ?? Promise.resolve('no way'));
      expect(text).toBe('Hello.');
      expect(records).toHaveLength(1);
    },
  );

  it.each(agents)('that is a Worker has its call recorded under the session (%s)', async (agent) => {
    const [text, records] = await recordOf(() => ways.Worker?.(findAgent(agent)) ?? Promise.resolve('no way'));
    expect(text).toBe('Hello.');
    expect(records).toEqual(expected);
  });

  it('is recorded when it is curl', async () => {
    const args = ['-sS', '-H', 'content-type: application/json', '-d', chatRequest];
    const url = 'https://api.openai.com/v1/chat/completions';
    const [text, records] = await recordOf(async () => (await promisify(execFile)('curl', [...args, url])).stdout);
    expect(JSON.parse(text)).toEqual(JSON.parse(chatReply));
    expect(records).toEqual(expected);
  });

  it.skipIf(!hasProgram('python3'))('is recorded when it is Python (needs python3)', async () => {
    const [text, records] = await recordOf(
      async () => (await promisify(execFile)('python3', [findAgent('call.py')])).stdout,
    );
    expect(text).toBe('Hello.');
    expect(records).toEqual(expected);
  });

  it('hands the session on to its own children', async () => {
    const script = `require('node:child_process').execFileSync(process.execPath, [process.argv[1]], { stdio: 'inherit' })`;
    const [text, records] = await recordOf(
      async () => (await promisify(execFile)(process.execPath, ['-e', script, findAgent('call.cjs')])).stdout,
    );
    expect(text).toBe('Hello.');
    expect(records).toHaveLength(1);
  });

  it('is recorded when it calls after its scope has ended', async () => {
    const open = await rig.openSession();
    const session = openSpawnSession(rig, { open });
    const script = `process.stdin.once('data', () => { process.stdin.destroy(); require(process.argv[1]); })`;
    const child = runInScope(session, () => spawn(process.execPath, ['-e', script, findAgent('call.cjs')]));
    session.end();
    expect(session.descendants).toEqual([child]);
    const texts: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => texts.push(text));
    child.stdin.write('go');
    await once(child, 'close');
    await session.whenAlone();
    expect(texts.join('')).toBe('Hello.');
    expect(rig.records.filter((record) => record.sessionId === open.session.sessionId)).toHaveLength(1);
    session.close();
    await open.close();
  });
});

describe('a hundred scopes at once', () => {
  it('give each of their children the session it was started in', async () => {
    const required = requireWays();
    const names = Object.keys(required).filter((name) => !name.endsWith('Sync'));
    let next = 0;
    const runScope = async (): Promise<void> => {
      while (next < 100) {
        const name = names[next++ % names.length] ?? '';
        const open = await rig.openSession();
        const session = openSpawnSession(rig, { open });
        const env = await runInScope(session, async () => {
          // Somewhere else in the loop by the time the child is started.
          await new Promise(setImmediate);
          return readChildEnv(required[name] ?? (() => Promise.reject(new Error(name))));
        });
        expect(env).toMatchObject({ LLMTAP_SESSION_ID: open.session.sessionId, HTTPS_PROXY: open.proxyUrl });
        await session.whenAlone();
        session.close();
        await open.close();
      }
    };
    await Promise.all(Array.from({ length: 12 }, runScope));
  }, 120_000);
});

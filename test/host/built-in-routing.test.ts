import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionOptions } from '../../src/core/host.js';
import type { RouterDescription } from '../../src/core/routing.js';
import { openHost } from '../../src/host/host.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig;
let folder: string | null = null;
afterEach(async () => {
  await rig.close();
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  folder = null;
});

async function open(options: Parameters<typeof openRig>[0]): Promise<void> {
  rig = await openRig(options);
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
}

/** The models that calls of a session go to. */
async function readModels(port: number, times: number): Promise<unknown[]> {
  const before = rig.upstream.seen.length;
  for (let i = 0; i < times; i++) await ask({ port, ca: rig.ca, body: chatRequest });
  return rig.upstream.seen.slice(before).map(({ body }) => (JSON.parse(body.toString()) as { model: string }).model);
}

const fixed = (model: string): RouterDescription => ({ name: 'fixed', options: { model } });
const random = { name: 'random', options: { candidates: ['a', 'b', 'c', 'd'], seed: 42 } };

describe('which router a session has', () => {
  it.each<readonly [string, SessionOptions, string]>([
    ["the host's default, when it says nothing", {}, 'default'],
    ['its own, before that', { router: fixed('own') }, 'own'],
    ['none, when it says null', { router: null }, 'gpt-4o'],
  ])('is %s', async (_, session, model) => {
    await open({ defaultRouter: fixed('default'), session });
    expect(await readModels(rig.session.port, 1)).toEqual([model]);
  });

  it("is the host's own function where it is routed, also beside a default", async () => {
    const router = () => Promise.resolve('asked');
    await open({ defaultRouter: fixed('default'), router, session: { routed: true } });
    expect(await readModels(rig.session.port, 1)).toEqual(['asked']);
  });

  it.each<readonly [string, SessionOptions]>([
    ['a router there is not', { router: { name: 'cheapest' } }],
    ['options that are none', { router: { name: 'random', options: { candidates: [] } } }],
  ])('is refused before anything is opened: %s', async (_, session) => {
    await open({});
    await expect(rig.openSession(session)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const opening = openHost({ home: rig.home, env: {}, defaultRouter: session.router ?? fixed('') });
    await expect(opening).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('a seeded router', () => {
  it('goes another way in each session, and the same ways when the run is made again', async () => {
    const run = async (): Promise<unknown[][]> => {
      await open({ session: { router: null } });
      const sessions = [{}, {}, { dataId: 'd1' }, { dataId: 'd2' }].map((ids) => ({ ...ids, router: random }));
      const models: unknown[][] = [];
      for (const session of sessions) models.push(await readModels((await rig.openSession(session)).port, 12));
      return models;
    };
    const first = await run();
    await rig.close();
    expect(await run()).toEqual(first);
    expect(new Set(first.map(String)).size).toBe(4);
  });
});

describe('a router that learns', () => {
  const learning = (stateFile: string): RouterDescription => ({
    name: 'thompson',
    options: { candidates: ['good', 'bad'], seed: 42, stateFile },
  });

  async function openLearning(): Promise<string> {
    folder = mkdtempSync(join(tmpdir(), 'llmtap-router-'));
    const file = join(folder, 'deep', 'state.json');
    await open({ session: { router: learning(file) } });
    rig.upstream.handler = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const isBad = Buffer.concat(chunks).includes('"bad"');
        response.writeHead(isBad ? 500 : 200, { 'content-type': 'application/json' }).end(isBad ? '{}' : chatReply);
      });
    };
    return file;
  }

  it('keeps what it learned in its file, and goes on from it', async () => {
    const file = await openLearning();
    await readModels(rig.session.port, 40);
    await rig.close();
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { arms: Record<string, { successes: number }> };
    expect(saved).toMatchObject({ version: 1, arms: { bad: { successes: 0 } } });
    expect(saved.arms.good?.successes).toBeGreaterThan(25);
    await open({ session: { router: learning(file) } });
    const models = await readModels(rig.session.port, 20);
    expect(models.filter((model) => model === 'good').length).toBeGreaterThan(17);
  });

  it('refuses a file that holds something else, and leaves it alone', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'llmtap-router-')), 'notes.txt');
    writeFileSync(file, 'my notes');
    await open({});
    const opening = rig.openSession({ router: learning(file) });
    await expect(opening).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(readFileSync(file, 'utf8')).toBe('my notes');
    rmSync(file);
  });

  it('goes on in memory, with a fault, where its file cannot be written', async () => {
    await open({ session: { router: learning('/proc/llmtap/state.json') } });
    await readModels(rig.session.port, 2);
    const waiting = rig.waitForFaults(1);
    await rig.close();
    expect(await waiting).toMatchObject([{ code: 'ROUTER_FAILED' }]);
  });
});

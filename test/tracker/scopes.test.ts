import { AsyncResource } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import undici from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getCurrentSessionProxy, type LLMTracker, readConfigToken } from '../../dist/index.js';
import { chat, makeProgram, openTrackerLab, type TrackerLab } from './tracker-lab.js';

const run = promisify(execFile);
let lab: TrackerLab;
let tracker: LLMTracker;
beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = await lab.makeTracker().start();
});
afterAll(async () => await lab.close());

async function readTexts(runId: string, of: LLMTracker = tracker): Promise<(string | undefined)[]> {
  const records = await of.records({ runId }, { bodies: true });
  return records.map(({ requestBody }) => /"content":"([^"]*)"/.exec(JSON.stringify(requestBody))?.[1]);
}

/** Where a name cannot be found the call went past the tap: there is no such host here. */
async function isUntouched(work: () => Promise<unknown>): Promise<boolean> {
  return await work().then(
    () => false,
    (error: unknown) => ((error as Error).cause as NodeJS.ErrnoException).code !== undefined,
  );
}

describe('scopes', () => {
  it('a hundred at once, in process and by children, have each their own calls', async () => {
    const scopes = Array.from({ length: 100 }, (_, i) => i);
    await Promise.all(
      scopes.map(async (i) => {
        await tracker.track({ runId: `many ${i}` }, async () => {
          await chat(`in process ${i}`);
          if (i % 20 === 0) await run(process.execPath, ['-e', makeProgram(`child ${i}`)]);
          await chat(`again ${i}`);
        });
      }),
    );
    for (const i of scopes) {
      const child = i % 20 === 0 ? [`child ${i}`] : [];
      expect(await readTexts(`many ${i}`)).toEqual([`in process ${i}`, ...child, `again ${i}`]);
    }
  });

  it('need no options, also where these are handed on and undefined', async () => {
    for (const options of [undefined, {}]) await tracker.track(options, async () => await chat('without options'));
    await tracker.track(async () => await chat('without options'));
    const records = await tracker.records({}, { bodies: true });
    const mine = records.filter(({ requestBody }) => JSON.stringify(requestBody).includes('without options'));
    expect(new Set(mine.map(({ runId }) => runId)).size).toBe(3);
  });

  it('inside another take over, and give back', async () => {
    await tracker.track({ runId: 'outer' }, async (outer) => {
      await chat('outer 1');
      await tracker.track({ runId: 'inner' }, async () => await chat('inner'));
      expect(getCurrentSessionProxy()?.port).toBe(outer.proxy.port);
      await chat('outer 2');
    });
    expect([await readTexts('outer'), await readTexts('inner')]).toEqual([['outer 1', 'outer 2'], ['inner']]);
  });

  it('reach through timers, promises and what is bound in them', async () => {
    const emitter = new EventEmitter();
    await tracker.track({ runId: 'carried' }, async () => {
      await new Promise<void>((resolve) => setTimeout(() => void chat('timer').then(() => resolve()), 1));
      await Promise.resolve().then(async () => await chat('promise'));
      const done = once(emitter, 'done');
      emitter.on(
        'ask',
        AsyncResource.bind(() => void chat('emitter').then(() => emitter.emit('done'))),
      );
      tracker.track({ runId: 'other' }, () => emitter.emit('ask')).catch(() => undefined);
      await done;
    });
    expect(await readTexts('carried')).toEqual(['timer', 'promise', 'emitter']);
    expect(await readTexts('other')).toEqual([]);
  });

  it('leave what they leave behind untouched once they have ended', async () => {
    let later: () => Promise<unknown> = async () => undefined;
    await tracker.track({ runId: 'ended' }, async () => {
      await chat('inside');
      later = AsyncResource.bind(async () => await chat('after'));
    });
    expect(await isUntouched(later)).toBe(true);
    expect(await readTexts('ended')).toEqual(['inside']);
  });

  it('leave calls outside untouched', async () => {
    expect(await isUntouched(async () => await chat('outside'))).toBe(true);
  });

  it('are opened and closed by hand as well', async () => {
    const session = await tracker.open({ runId: 'by hand', agentId: 'a', configKey: 'bot' });
    expect(session.session).toMatchObject({ runId: 'by hand', agentId: 'a', configKey: 'bot', graphKey: null });
    await session.run(async () => await chat('by hand'));
    expect(tracker.getSessionEnv(session)).toMatchObject({ HTTPS_PROXY: session.proxy.url, LLMTAP_RUN_ID: 'by hand' });
    const { LLMTAP_RESUMPTION_TOKEN, TRACEPARENT } = tracker.getSessionEnv(session);
    expect(readConfigToken(LLMTAP_RESUMPTION_TOKEN ?? '')).toMatchObject({ runId: 'by hand', configKey: 'bot' });
    expect(TRACEPARENT).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(await session.counts()).toMatchObject({ calls: 1 });
    await session.close();
    await session.close();
    expect(() => session.run(() => 1)).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }));
    expect(() => tracker.getSessionEnv(session)).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }));
    expect(await readTexts('by hand')).toEqual(['by hand']);
  });

  it('of two trackers do not mix, whichever is stopped first', async () => {
    const [a, b] = [await lab.makeTracker().start(), await lab.makeTracker().start()];
    await a.track({ runId: 'a' }, async () => {
      await chat('of a');
      await b.track({ runId: 'b' }, async () => await chat('of b'));
    });
    await a.stop();
    await b.track({ runId: 'b' }, async () => await chat('b goes on'));
    await b.stop();
    expect([await readTexts('a', a), await readTexts('b', a)]).toEqual([['of a'], []]);
    expect(await readTexts('b', b)).toEqual(['of b', 'b goes on']);
  });
});

describe('ids given to the constructor', () => {
  it('make one session of every call outside scopes, for the tracker’s life', async () => {
    const own = lab.makeTracker({ runId: 'life', agentId: 'me' });
    await own.start();
    await chat('at large');
    await run(process.execPath, ['-e', makeProgram('a child at large')]);
    await own.track({ dataId: 'd' }, async () => await chat('in a scope'));
    await own.stop();
    const records = await own.records();
    expect(records.map(({ runId, dataId, comboId, agentId }) => [runId, dataId, comboId, agentId])).toEqual([
      ['life', 'default', 'default', 'me'],
      ['life', 'default', 'default', 'me'],
      ['life', 'd', null, 'me'],
    ]);
    expect(new Set(records.map(({ sessionId }) => sessionId)).size).toBe(2);
    expect(await isUntouched(async () => await chat('after its life'))).toBe(true);
  });
});

describe('a router', () => {
  it('T1 sees what was asked, and its answer is asked for instead', async () => {
    const seen: unknown[] = [];
    const routed = lab.makeTracker({
      router: ({ requestedModel, provider, session, history }) => {
        seen.push([requestedModel, provider, session.runId, history.length]);
        return 'gpt-4o-mini';
      },
    });
    await routed.start();
    await routed.track({ runId: 'routed' }, async () => {
      expect(await chat('one')).toContain('gpt-4o-mini');
      await chat('two');
    });
    await routed.track({ runId: 'as asked', router: null }, async () => await chat('three'));
    expect(seen).toEqual([
      ['gpt-4o', 'openai', 'routed', 0],
      ['gpt-4o', 'openai', 'routed', 1],
    ]);
    const models = (await routed.records()).map(({ requestedModel, routedModel }) => [requestedModel, routedModel]);
    expect(models).toEqual([
      ['gpt-4o', 'gpt-4o-mini'],
      ['gpt-4o', 'gpt-4o-mini'],
      ['gpt-4o', 'gpt-4o'],
    ]);
  });
});

describe('a child whose env names options or CA files of its own', () => {
  it.each([
    ['NODE_OPTIONS', () => '--max-old-space-size=512'],
    ['NODE_EXTRA_CA_CERTS', () => lab.provider.caPath],
  ])('keeps %s, to which the session’s are added', async (name, makeValue) => {
    const runId = `own ${name}`;
    const env = { ...process.env, [name]: makeValue() };
    await tracker.track({ runId }, async () => {
      const { stdout } = await run(
        process.execPath,
        ['-e', `${makeProgram(name)}; console.error(process.env.${name})`],
        { env },
      );
      expect(stdout).toContain('chat.completion');
    });
    expect(await readTexts(runId)).toEqual([name]);
  });
});

it('a call made as a reply comes belongs to the scope that asked, also on a connection another scope has opened', async () => {
  const tool = http.createServer((_, response) => response.end('done')).listen(0, '127.0.0.1');
  await once(tool, 'listening');
  const url = `http://127.0.0.1:${(tool.address() as AddressInfo).port}/`;
  const dispatcher = new undici.Agent({ connections: 1 });
  await tracker.track({ runId: 'opened it' }, async () => {
    await (await undici.request(url, { dispatcher })).body.text();
    await tracker.track({ runId: 'asked' }, async () => {
      const { body } = await undici.request(url, { dispatcher });
      await new Promise<unknown>((resolve) => {
        body.resume().once('end', () => void chat('as it ended').then(resolve, resolve));
      });
    });
  });
  await dispatcher.close();
  tool.close();
  expect(await readTexts('opened it')).toEqual([]);
  expect(await readTexts('asked')).toEqual(['as it ended']);
});

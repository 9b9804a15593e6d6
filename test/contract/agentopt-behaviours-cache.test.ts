/**
 * What AgentOpt's cache mixed up (B4, B6, B21 of its confirmed faults), over real sockets, and a list of the behaviours of its
 * cache and its routing (`agentopt-behaviours.test.ts` tells what that is) with the tests that hold them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readPortable } from '../../src/cache/portable.js';
import { openCacheStore } from '../../src/storage/cache-store.js';
import { answerWith, json, openCacheRig } from '../cache/cache-rig.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openReplayRig } from '../replay/replay-rig.js';
import { makeEntry, makeKey } from '../storage/cache-entries.js';
import { readContentType, readFixture } from './provider-fixtures.js';

const range = (letter: string, last: number): string[] => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);
/** The lists of the cache, the disk cache and routing, and the confirmed faults that concern them. */
const behaviours = [
  ...[...range('C', 22), ...range('D', 25), ...range('T', 9)],
  ...['B4', 'B5', 'B6', 'B7', 'B12', 'B21', 'B22'],
];
/** Those that llmtap has nothing of. */
const withoutCounterpart: Readonly<Record<string, string>> = {
  D17: 'an interval of 0 writes nothing by itself: the interval is no option here, and what waits is written within a second',
};

it('each behaviour is named by a test', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const titles = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) =>
      readFileSync(`${root}${file}`, 'utf8')
        .split('\n')
        .filter((line) => /^\s*(?:(?:it|describe)\b.*['"`]|\]\s*(?:as const)?\)\(['"`])/.test(line)),
    );
  const unnamed = behaviours.filter((id) => !titles.some((title) => new RegExp(`\\b${id}\\b`).test(title)));
  expect(unnamed).toEqual(Object.keys(withoutCounterpart));
});

const cohere = { host: 'api.cohere.com', path: '/v2/chat' };
const anthropic = { host: 'api.anthropic.com', path: '/v1/messages' };

describe('B4 a client that wants a stream and one that wants JSON', () => {
  it.each([
    ['openai-chat/answer', {}],
    ['anthropic-messages/answer', anthropic],
    ['cohere-chat/answer', cohere],
  ])('get each their own, whoever asked first: %s', async (fixture, where) => {
    for (const first of ['json', 'sse'] as const) {
      const rig = await openCacheRig();
      rig.upstream.handler = (request, response) => {
        const parts: Buffer[] = [];
        request
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => {
            const { stream } = JSON.parse(Buffer.concat(parts).toString()) as { stream?: boolean };
            const file = `${fixture}.${stream === true ? 'sse' : 'json'}`;
            response.writeHead(200, { 'content-type': readContentType(file) }).end(readFixture(file));
          });
      };
      for (const form of [first, first === 'json' ? 'sse' : 'json']) {
        const { headers, body } = await rig.call({ ...where, body: form === 'sse' ? chatStreamRequest : chatRequest });
        expect(headers['content-type']).toMatch(form === 'sse' ? /^text\/event-stream/ : /^application\/json/);
        if (form === 'json') expect(JSON.parse(body.toString())).toMatchObject({ id: expect.any(String) as string });
        else expect(body.toString()).toMatch(/^(?:event|data): /m);
      }
    }
  });
});

it('B6 what is no call is neither kept nor routed nor on record, on the host of a provider', async () => {
  const asked: unknown[] = [];
  const router = async (question: unknown): Promise<null> => {
    asked.push(question);
    return null;
  };
  const rig = await openCacheRig({}, { router, session: { routed: true } });
  rig.upstream.handler = answerWith('{"data":[]}');
  for (const request of [
    { method: 'GET', path: '/v1/models', body: '' },
    { method: 'POST', path: '/v1/telemetry', body: chatRequest },
  ]) {
    for (let i = 0; i < 2; i++) expect((await rig.call(request)).status).toBe(200);
  }
  expect(rig.upstream.seen).toHaveLength(4);
  expect([asked, rig.records]).toEqual([[], []]);
  rig.host.cache.flush();
  expect(rig.host.cache.clear()).toBe(0);
});

describe('B21 the frame of usage', () => {
  const asking = JSON.stringify({
    ...(JSON.parse(chatStreamRequest) as object),
    stream_options: { include_usage: true },
  });
  /** As a provider that sends it to who asks. */
  const answer = answerWith(chatFramesWithUsage.join(''), { 'content-type': 'text/event-stream' });

  it.each([
    ['who did not ask for it first', [chatStreamRequest, chatStreamRequest, asking, asking]],
    ['who did first', [asking, asking, chatStreamRequest, chatStreamRequest]],
  ])('comes from the cache to who asked for it alone, and is counted for both: %s', async (_, bodies) => {
    const rig = await openCacheRig();
    rig.upstream.handler = answer;
    for (const body of bodies) {
      const expected = body === asking ? chatFramesWithUsage : chatFrames;
      expect((await rig.call({ body })).body.toString()).toBe(expected.join(''));
    }
    const records = await rig.waitForRecords(4);
    expect(records.map(({ usage }) => usage.inputTokens)).toEqual([10, 10, 10, 10]);
    expect(records.filter(({ cached }) => cached).length).toBeGreaterThanOrEqual(2);
  });

  it('comes from a recording as it came then', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answer;
    const both = async (port: number) => {
      const replies = [];
      for (const body of [chatStreamRequest, asking])
        replies.push(await ask({ port, ca: rig.ca, body, headers: json }));
      return replies.map(({ body }) => body.toString());
    };
    await rig.record(async ({ port }) => await both(port));
    expect(await both((await rig.replay()).port)).toEqual([chatFrames.join(''), chatFramesWithUsage.join('')]);
  });
});

describe('D3 an entry', () => {
  it('that has no header, no piece, no model and no end is kept as it is', () => {
    const store = openCacheStore({ path: null, onFault: () => undefined });
    const entry = makeEntry('bare', { rawHeaders: [], pieces: [], model: null, expiresAtMs: null, latencyMs: 0 });
    store.put(entry);
    expect(store.find(makeKey('bare'), 'json')).toEqual(entry);
    store.close();
  });

  it('of a file that leaves out its latency is not taken in with a guess', () => {
    const { latencyMs: _, ...rest } = makeEntry('without');
    const line = JSON.stringify({
      ...rest,
      body: undefined,
      text: chatReply,
      pieces: [[chatReply.length, 0]],
      headers: [],
    });
    expect(readPortable(line)).toBeNull();
    expect(readPortable(line.replace('{', '{"latencyMs":5,'))).not.toBeNull();
  });
});

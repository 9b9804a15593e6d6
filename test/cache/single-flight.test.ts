import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../contract/provider-fixtures.js';
import { readReply, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { answerWith, type CacheRig, json, openCacheRig } from './cache-rig.js';

const streamRequest = JSON.stringify({ ...(JSON.parse(chatRequest) as object), stream: true });
const stream = { 'content-type': 'text/event-stream' };

/** An upstream whose replies are held back until the test lets them go. */
function holdReplies(rig: CacheRig): {
  readonly held: ServerResponse[];
  readonly waitFor: (count: number) => Promise<void>;
} {
  const held: ServerResponse[] = [];
  let check = (): void => undefined;
  rig.upstream.handler = (request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'GET') return response.end();
      held.push(response);
      check();
    });
  };
  const waitFor = async (count: number): Promise<void> =>
    await new Promise((resolve) => {
      check = () => {
        if (held.length >= count) resolve();
      };
      check();
    });
  return { held, waitFor };
}

/** Asks the same once more, and resolves when the tap has that: it has answered what was asked after it. */
async function join(rig: CacheRig): Promise<() => ReturnType<typeof waitForResponse>> {
  const request = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
  const response = waitForResponse(request);
  request.end(chatRequest);
  await once(request, 'finish');
  await rig.call({ method: 'GET', path: '/v1/models', body: '' });
  return async () => await response;
}

const answer = (response: ServerResponse | undefined, body = chatReply): void => {
  response?.writeHead(200, json).end(body);
};

describe('equal calls at the same time', () => {
  it('are one of the provider’s, also across sessions', async () => {
    const rig = await openCacheRig();
    const other = await rig.openSession({ cache: { mode: 'on' } });
    const { held, waitFor } = holdReplies(rig);
    const calls = Array.from(
      { length: 40 },
      async (_, i) => await rig.call({ port: (i % 2 ? other : rig.session).port }),
    );
    await waitFor(1);
    answer(held[0]);
    const replies = await Promise.all(calls);
    expect(new Set(replies.map(({ body }) => body.toString()))).toEqual(new Set([chatReply]));
    expect(rig.upstream.seen).toHaveLength(1);
    const records = await rig.waitForRecords(40);
    expect(records.filter(({ cached }) => !cached)).toHaveLength(1);
    expect(new Set(records.map(({ usage }) => usage.inputTokens)).size).toBe(1);
    const shared = records.find(({ changes }) => changes[0]?.startsWith('reply: shared'));
    expect(shared?.cost).toMatchObject({ usd: 0 });
    expect(shared?.cachedLatencyMs).toBeGreaterThan(0);
  });

  it('get a stream from its first byte, as it comes', async () => {
    const rig = await openCacheRig();
    const { held, waitFor } = holdReplies(rig);
    const text = readFixture('openai-chat/answer.sse').toString();
    const half = text.indexOf('\n\n', text.length / 2) + 2;
    const begin = async () => {
      const request = await startRequest({ ...{ port: rig.session.port, ca: rig.ca, headers: json } });
      request.end(streamRequest);
      return request;
    };
    const first = await begin();
    await waitFor(1);
    held[0]?.writeHead(200, stream);
    held[0]?.write(text.slice(0, half));
    const firstReply = await waitForResponse(first);
    // It comes late, and has what was said before.
    const secondReply = await waitForResponse(await begin());
    const said: string[] = [];
    await new Promise<void>((resolve) => {
      secondReply.once('data', (chunk: Buffer) => {
        said.push(chunk.toString());
        resolve();
      });
    });
    expect(said.join('')).toContain('"role":"assistant"');
    held[0]?.end(text.slice(half));
    const [one, rest] = await Promise.all([readReply(firstReply), readReply(secondReply)]);
    expect(said.join('') + rest.body.toString()).toBe(one.body.toString());
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it('go on when the one that came first leaves', async () => {
    const rig = await openCacheRig();
    const { held, waitFor } = holdReplies(rig);
    const first = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
    first.on('error', () => undefined).end(chatRequest);
    await waitFor(1);
    const second = await join(rig);
    first.destroy();
    await rig.waitForRecords(1);
    answer(held[0]);
    expect((await readReply(await second())).body.toString()).toBe(chatReply);
    expect((await rig.call()).body.toString()).toBe(chatReply);
    expect((await rig.waitForRecords(3)).map(({ outcome, cached }) => [outcome, cached])).toEqual([
      ['client_aborted', false],
      ['ok', true],
      ['ok', true],
    ]);
  });

  it('ask for themselves when the first one fails, whose failure is not theirs', async () => {
    const rig = await openCacheRig();
    const { held, waitFor } = holdReplies(rig);
    const first = rig.call();
    await waitFor(1);
    const others = [await join(rig), await join(rig), await join(rig)];
    held[0]?.writeHead(500, json).end('{"error":{"message":"down"}}');
    expect((await first).status).toBe(500);
    await waitFor(4);
    for (const response of held.slice(1)) answer(response);
    const replies = await Promise.all(others.map(async (reply) => await readReply(await reply())));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await rig.waitForRecords(4)).filter(({ cached }) => cached)).toEqual([]);
  });

  it('that refresh, or are not to use the cache, are asked each', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(chatReply);
    const ask = async (mode: string) => await rig.call({ headers: { ...json, 'x-llmtap-cache': mode } });
    await Promise.all([ask('refresh'), ask('refresh'), ask('off')]);
    expect(rig.upstream.seen).toHaveLength(3);
  });
});

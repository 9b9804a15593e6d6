// Failure 28 of the field's tools, with kept replies; the numbers are those of test/regressions/README.md.
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { answerWith, openCacheRig } from '../cache/cache-rig.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openReplayRig } from '../replay/replay-rig.js';

const sse = { 'content-type': 'text/event-stream' };
/** One by its form, and one that the call carries itself. */
const shaped = `sk-proj-${'Ab3'.repeat(16)}`;
const carried = 'opaque.c4nary.0123456789abcdef';
const headers = { 'content-type': 'application/json', authorization: `Bearer ${carried}` };

/** The frames of a stream that tells both, a few characters each. */
const telling = [
  chatFrames[0] ?? '',
  ...(`${shaped} and ${carried}`.match(/.{1,5}/g) ?? []).map((piece) => chatFrames[1]?.replace('Hel', piece) ?? ''),
  ...chatFrames.slice(3),
];

function findParts(text: string): string[] {
  const told = [...text.matchAll(/\\?"content\\?":\\?"([^"\\]*)/g)].map(([, piece]) => piece).join('');
  return [shaped.slice(8, 20), carried.slice(8, 20)].filter((part) => text.includes(part) || told.includes(part));
}

// cline/cline PR 9797: secrets split over the chunks of a stream escaped what was to mask them in recordings.
it('failure 28: a secret split over the frames of a stream stands in no recording and in no cache', async () => {
  const replay = await openReplayRig();
  replay.upstream.handler = (request, response) => {
    request.resume().once('end', () => response.writeHead(200, sse).end(telling.join('')));
  };
  await replay.record((session) => replay.call(session, { headers, body: chatStreamRequest }));
  const recorded = replay.readCassette();
  expect(recorded).toContain('chat.completion.chunk');
  expect(findParts(recorded)).toEqual([]);

  const cache = await openCacheRig();
  cache.upstream.handler = replay.upstream.handler;
  await cache.call({ headers, body: chatStreamRequest });
  await cache.host.close();
  const folder = dirname(cache.path);
  for (const name of readdirSync(folder)) expect(findParts(readFileSync(join(folder, name), 'latin1'))).toEqual([]);
});

/** The frames a piece at a time, none before the one in front of it has been written. */
const serveFrames =
  (frames: readonly string[]) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    request.resume().once('end', async () => {
      response.writeHead(200, sse);
      for (const frame of frames)
        await new Promise<void>((resolve) => response.write(frame, () => setImmediate(resolve)));
      response.end();
    });
  };

const asking = JSON.stringify({
  ...(JSON.parse(chatStreamRequest) as object),
  stream_options: { include_usage: true },
});

// sipyourdrink-ltd/bernstein#1832: a replay called the live model on a miss, and nobody was told.
it('failure 28: a replay that lacks a call calls nobody, fails it, and says so', async () => {
  const rig = await openReplayRig();
  rig.upstream.handler = answerWith(chatReply);
  await rig.record((session) => rig.call(session));
  const asked = rig.upstream.seen.length;
  const missed = await rig.call(await rig.replay(), { body: chatRequest.replace('"Hi"', '"Another"') });
  expect([missed.status, rig.upstream.seen.length]).toEqual([412, asked]);
  expect(await rig.waitForFaults(1)).toMatchObject([{ code: 'REPLAY_MISSED' }]);
});

// sipyourdrink-ltd/bernstein#1846: calls that were asked alike collapsed to the answer of the last.
it('failure 28: a call that was asked three times has its three answers again, in their order', async () => {
  const rig = await openReplayRig();
  let answers = 0;
  rig.upstream.handler = (request, response) =>
    answerWith(chatReply.replace('Hello.', `Answer ${++answers}.`))(request, response);
  const askThrice = async (session: Parameters<typeof rig.call>[0]) => {
    const said: unknown[] = [];
    for (let i = 0; i < 3; i++) said.push(/Answer \d/.exec((await rig.call(session)).body.toString())?.[0]);
    return said;
  };
  await rig.record(askThrice);
  expect(await askThrice(await rig.replay())).toEqual(['Answer 1', 'Answer 2', 'Answer 3']);
  expect(answers).toBe(3);
});

// BerriAI/litellm#11145, tashfeenahmed/freellmapi#1098, BerriAI/litellm#24579, BerriAI/litellm PR 42244 and
// kevin1024/vcrpy#597, #989.
it('failure 28: a stream is kept and recorded, and comes again in its pieces with the details of its usage', async () => {
  const replay = await openReplayRig();
  replay.upstream.handler = serveFrames(chatFramesWithUsage);
  await replay.record((session) => replay.call(session, { body: asking }));
  const played = await replay.call(await replay.replay(), { body: asking });
  const cache = await openCacheRig();
  cache.upstream.handler = serveFrames(chatFramesWithUsage);
  await cache.call({ body: asking });
  const kept = await cache.call({ body: asking });
  expect(cache.upstream.seen).toHaveLength(1);
  for (const { body, chunks } of [played, kept]) {
    expect(body.toString()).toBe(chatFramesWithUsage.join(''));
    expect(chunks.length).toBeGreaterThan(1);
  }
  for (const { records } of [replay, cache])
    expect(records[1]).toMatchObject({ cached: true, usage: { cacheReadTokens: 4, reasoningTokens: 2 } });
});

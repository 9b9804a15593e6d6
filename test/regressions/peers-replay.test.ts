// Failure 28 of the field's tools, with kept replies; the numbers are those of test/regressions/README.md.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { openCacheRig } from '../cache/cache-rig.js';
import { chatFrames, chatStreamRequest } from '../fixtures/replies.js';
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

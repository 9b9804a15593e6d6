// Issue 2: a stream whose body came with a length went upstream before it was read, and usage was never asked for.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSecure, readHead } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { readAll } from '../fixtures/tcp.js';
import { watchSession } from '../fixtures/watch-session.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  await rig.close();
});

const size = chatStreamRequest.length;
const half = chatStreamRequest.slice(0, 20);
const rest = chatStreamRequest.slice(20);

it.each([
  ['with a length, in one segment', `Content-Length: ${size}\r\n\r\n${chatStreamRequest}`, ''],
  ['with a length, in two segments', `Content-Length: ${size}\r\n\r\n${half}`, rest],
  ['with a length, behind its head', `Content-Length: ${size}\r\n\r\n`, chatStreamRequest],
  [
    'in chunks',
    `Transfer-Encoding: chunked\r\n\r\n14\r\n${half}\r\n`,
    `${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`,
  ],
])('a streamed request %s is asked for usage upstream, and its client sees none of it', async (_how, first, second) => {
  rig.upstream.seen.length = 0;
  rig.upstream.handler = (request, response) =>
    void request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
      const body = rig.upstream.seen[0]?.body.toString() ?? '';
      response.end((body.includes('include_usage') ? chatFramesWithUsage : chatFrames).join(''));
    });
  const session = await watchSession(rig.host);
  const secure = await openSecure(session.port, 'api.openai.com', { ca: rig.ca });
  secure.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n${first}`,
  );
  if (second !== '') setImmediate(() => secure.write(second));
  expect(await readHead(secure)).toMatch(/^HTTP\/1\.1 200 /);
  const text = (await readAll(secure)).toString();
  expect(text).toContain('[DONE]');
  expect(text).not.toContain('prompt_tokens');
  expect(JSON.parse(rig.upstream.seen[0]?.body.toString() ?? '')).toMatchObject({
    stream_options: { include_usage: true },
  });
  expect(await session.waitForRecords(1)).toMatchObject([
    { stream: true, outcome: 'ok', usage: { inputTokens: 10, outputTokens: 5 } },
  ]);
  await session.close();
});

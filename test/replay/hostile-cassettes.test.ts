import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerWith } from '../cache/cache-rig.js';
import { chatReply } from '../fixtures/replies.js';
import { openReplayRig } from './replay-rig.js';

type Edit = (line: Record<string, Record<string, unknown>>) => void;

const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

describe('a cassette somebody else has written', () => {
  it.each<[string, Edit]>([
    ['no body of the request', ({ request }) => Object.assign(request ?? {}, { body: null })],
    ['a query that is no list of pairs', ({ request }) => Object.assign(request ?? {}, { query: [null] })],
    ['headers of the request that are numbers', ({ request }) => Object.assign(request ?? {}, { headers: [[1, 2]] })],
    ['no trailers', ({ reply }) => Object.assign(reply ?? {}, { rawTrailers: undefined })],
    ['headers of the reply that are no texts', ({ reply }) => Object.assign(reply ?? {}, { rawHeaders: [1, {}] })],
    ['a status no head may carry', ({ reply }) => Object.assign(reply ?? {}, { status: 1234 })],
    ['pieces that are not its body', ({ reply }) => Object.assign(reply ?? {}, { pieces: [[-5, 0]] })],
    ['a text that is a number', ({ reply }) => Object.assign(reply ?? {}, { text: 7 })],
    ['an ending nobody knows', ({ reply }) => Object.assign(reply ?? {}, { ending: 'well' })],
    ['a problem that is a text', ({ reply }) => Object.assign(reply ?? {}, { problem: 'x' })],
  ])('with %s is one error', async (_what, edit) => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const [head = '', call = ''] = rig.readCassette().split('\n');
    const line = JSON.parse(call) as Record<string, Record<string, unknown>>;
    edit(line);
    writeFileSync(rig.path, `${head}\n${JSON.stringify(line)}\n`);
    await expect(rig.replay()).rejects.toMatchObject({ code: 'CASSETTE_INVALID' });
  });

  it('is one error where a request in it is nested too deeply', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    writeFileSync(rig.path, rig.readCassette().replace('"messages":[', `"deep":${deep},"messages":[`));
    await expect(rig.replay()).rejects.toMatchObject({ code: 'CASSETTE_INVALID' });
  });

  it.each([
    ['nothing', ''],
    ['no rules', '{"llmtap":"cassette","version":1,"normalise":7}'],
    [
      'rules that do not compile',
      '{"llmtap":"cassette","version":1,"normalise":{"rules":[{"pattern":"(","replace":""}]}}',
    ],
    ['kinds nobody knows', '{"llmtap":"cassette","version":1,"normalise":{"volatile":["moons"]}}'],
    ['a deep version', `{"llmtap":"cassette","version":[[]]}`],
    ['a list', '[]\n[]'],
  ])('is one error where it holds %s', async (_what, text) => {
    const rig = await openReplayRig();
    mkdirSync(dirname(rig.path), { recursive: true });
    writeFileSync(rig.path, text);
    await expect(rig.replay()).rejects.toMatchObject({ code: 'CASSETTE_INVALID' });
  });

  it('is one error where it is no file', async () => {
    const rig = await openReplayRig();
    await expect(rig.replay({ path: '/dev/zero' })).rejects.toMatchObject({ code: 'CASSETTE_INVALID' });
    await expect(rig.replay({ path: dirname(import.meta.filename) })).rejects.toMatchObject({
      code: 'CASSETTE_INVALID',
    });
  });

  it('frames its replies by what they are, whatever it says of their length', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const lies = '"rawHeaders":["Content-Length","9","Transfer-Encoding","chunked","x y","z","x-a","b\\r\\nx-c: d",';
    writeFileSync(rig.path, rig.readCassette().replace('"rawHeaders":[', lies));
    const reply = await rig.call(await rig.replay());
    expect(reply.body.toString()).toBe(chatReply);
    expect(reply.headers).not.toHaveProperty('content-length');
    expect(reply.headers).not.toHaveProperty('x-c');
  });

  it('may have a line separator of Unicode within its texts', async () => {
    const rig = await openReplayRig();
    const said = chatReply.replace('Hello', 'Hel\u2028lo');
    rig.upstream.handler = answerWith(said);
    await rig.record((session) => rig.call(session));
    expect((await rig.call(await rig.replay())).body.toString()).toBe(said);
  });
});

it.each([204, 304])('a reply of status %i is played without a word of its framing', async (status) => {
  const rig = await openReplayRig();
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(status, { 'x-a': 'b' }).end()).resume();
  };
  const asked = { method: 'DELETE', path: '/v1/files/one', body: '' };
  await rig.record((session) => rig.call(session, asked));
  const reply = await rig.call(await rig.replay(), asked);
  expect([reply.status, reply.headers['x-a'], reply.body.length]).toEqual([status, 'b', 0]);
  expect(reply.headers).not.toHaveProperty('transfer-encoding');
  expect(reply.headers).not.toHaveProperty('content-length');
});

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { readContentType, readFixture } from '../contract/provider-fixtures.js';
import { startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { answerWith, type CacheRig, json, openCacheRig } from './cache-rig.js';

const stream = { 'content-type': 'text/event-stream' };
const streamRequest = JSON.stringify({ ...(JSON.parse(chatRequest) as object), stream: true });

/** What the cache says of the calls it did not keep, oldest first. */
function listReasons(rig: CacheRig): (string | null)[] {
  rig.host.cache.flush();
  const db = new BetterSqlite3(rig.path, { readonly: true });
  const rows = db.prepare('SELECT reason FROM lookups ORDER BY seq').all() as { reason: string | null }[];
  db.close();
  return rows.map(({ reason }) => reason);
}

/** Asks twice and tells whether the second was answered from the first. */
async function isKept(rig: CacheRig, asked: Parameters<CacheRig['call']>[0] = {}): Promise<boolean> {
  const before = rig.records.length;
  for (let i = 0; i < 2; i++) await rig.call(asked).catch(() => null);
  const records = await rig.waitForRecords(before + 2);
  return records[before + 1]?.cached === true;
}

/** Sends the head and part of a body, and cuts the connection. */
function cutAfter(body: string, headers: Readonly<Record<string, string>>) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.on('end', () => {
      response.writeHead(200, headers);
      response.write(body, () => response.destroy());
    });
    request.resume();
  };
}

describe('a reply that is not whole', () => {
  it('B7 is not kept when its JSON is cut', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = cutAfter(chatReply.slice(0, 40), { ...json, 'content-length': String(chatReply.length) });
    expect(await isKept(rig)).toBe(false);
    expect(listReasons(rig)[0]).toBe('The reply was not kept: it did not come whole.');
  });

  it('is not kept when its stream is cut, or ends in order before its own end', async () => {
    const rig = await openCacheRig();
    const text = readFixture('openai-chat/answer.sse').toString();
    const body = streamRequest;
    for (const at of [0.3, 0.8]) {
      rig.upstream.handler = cutAfter(text.slice(0, text.length * at), stream);
      expect(await isKept(rig, { body })).toBe(false);
    }
    rig.upstream.handler = answerWith(text.slice(0, text.length * 0.5), stream);
    expect(await isKept(rig, { body })).toBe(false);
    expect(listReasons(rig).at(-1)).toBe('The reply was not kept: the stream ended before its own end.');
    rig.upstream.handler = answerWith(text, stream);
    expect(await isKept(rig, { body })).toBe(true);
  });

  it('is not kept when its client leaves and nobody else waits', async () => {
    const rig = await openCacheRig();
    const text = readFixture('openai-chat/answer.sse').toString();
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, stream);
        // Whole frames: the tap holds back what it does not know the end of.
        response.write(text.slice(0, text.indexOf('data:', 1000)));
      });
    };
    const request = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
    request.on('error', () => undefined).end(streamRequest);
    await once(await waitForResponse(request), 'data');
    request.destroy();
    await rig.waitForRecords(1);
    rig.upstream.handler = answerWith(text, stream);
    await rig.call({ body: streamRequest });
    expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, false]);
  });
});

describe('a reply that is no answer', () => {
  it.each([
    [201, chatReply, json],
    [204, '', json],
    [429, '{"error":{"message":"slow down"}}', json],
    [500, '{"error":{"message":"down"}}', json],
    [200, '{"error":{"message":"overloaded","type":"server_error"}}', json],
    [200, '<html>sign in</html>', { 'content-type': 'text/html' }],
    [200, 'not json', json],
    [200, '"a text"', json],
  ] as const)('is not kept: %d %s', async (status, body, headers) => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(body, headers, status);
    expect(await isKept(rig)).toBe(false);
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it.each([
    ['openai-chat/error-in-stream.sse', 'api.openai.com', '/v1/chat/completions'],
    ['anthropic-messages/error-in-stream.sse', 'api.anthropic.com', '/v1/messages'],
    ['openai-responses/failed.sse', 'api.openai.com', '/v1/responses'],
  ])('is not kept where its stream states an error: %s', async (file, host, path) => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(readFixture(file), { 'content-type': readContentType(file) });
    expect(await isKept(rig, { host, path, body: streamRequest })).toBe(false);
    expect(listReasons(rig)[0]).toBe('The reply was not kept: it states an error.');
  });

  it.each(['queued', 'in_progress'])('is not kept where its answer is made later: %s', async (status) => {
    const rig = await openCacheRig();
    const ask = { path: '/v1/responses', body: '{"model":"gpt-5","input":"Hi"}' };
    rig.upstream.handler = answerWith(JSON.stringify({ id: 'resp_1', object: 'response', status, output: [] }));
    expect(await isKept(rig, ask)).toBe(false);
    expect(listReasons(rig)[0]).toBe(`The reply was not kept: it says "${status}", and holds no answer.`);
    rig.upstream.handler = answerWith(JSON.stringify({ id: 'resp_1', object: 'response', status: 'incomplete' }));
    expect(await isKept(rig, ask)).toBe(true);
  });

  it('is not kept where its coding cannot be undone', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith('no gzip', { ...json, 'content-encoding': 'gzip' });
    expect(await isKept(rig)).toBe(false);
  });
});

describe('a reply that tells of doings', () => {
  const ran = JSON.stringify({
    ...(JSON.parse(chatReply) as object),
    output: [{ type: 'code_interpreter_call', code: 'rm -rf /' }],
  });

  it('of the provider’s own tools is kept only when asked for', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(ran);
    expect(await isKept(rig)).toBe(false);
    expect(listReasons(rig)[0]).toContain('--cache-tool-results');
    const other = await openCacheRig({ toolResults: true });
    other.upstream.handler = answerWith(ran);
    expect(await isKept(other)).toBe(true);
  });

  it('is kept where it only quotes them', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(chatReply.replace('Hello.', 'Say \\"type\\": \\"mcp_call\\"'));
    expect(await isKept(rig)).toBe(true);
  });
});

describe('a reply that is too large', () => {
  it('is passed on and not kept', async () => {
    const rig = await openCacheRig();
    const large = chatReply.replace('Hello.', 'x'.repeat(5 * 1024 * 1024));
    rig.upstream.handler = answerWith(large);
    expect((await rig.call()).body.length).toBe(large.length);
    expect((await rig.call()).body.length).toBe(large.length);
    expect(rig.upstream.seen).toHaveLength(2);
    expect(listReasons(rig)[0]).toContain('larger than one entry may be');
  });
});

// Over 250 lines: one acceptance list, by its ids.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askHttp2, openHttp2 } from '../fixtures/http2-client.js';
import { openSecure } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { answerWith, json, openCacheRig } from './cache-rig.js';

describe('a call the cache answers', () => {
  it('C11 has the status and the JSON of the first, and is not asked of the provider', async () => {
    const rig = await openCacheRig();
    const [first, second] = [await rig.call(), await rig.call()];
    expect([second.status, second.body.toString()]).toEqual([200, chatReply]);
    expect(second.body.equals(first.body)).toBe(true);
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it('C12, C13 is on record as cached, with the usage of the first, no cost and how long the first took', async () => {
    const rig = await openCacheRig();
    await rig.call();
    await rig.call();
    const [first, second] = await rig.waitForRecords(2);
    expect(first).toMatchObject({ cached: false, cachedLatencyMs: null, changes: [] });
    expect(second).toMatchObject({
      cached: true,
      cachedLatencyMs: first?.latencyMs,
      usage: first?.usage,
      usageDetails: first?.usageDetails,
      model: first?.model,
      outcome: 'ok',
      requestId: null,
      receipt: { requestToProvider: null, replyFromProvider: null },
    });
    expect(second?.cost).toMatchObject({ usd: 0, savedUsd: first?.cost.usd });
    expect(first?.cost.usd).toBeGreaterThan(0);
    expect(second?.changes).toEqual([
      expect.stringMatching(/^reply: from the cache, kept from call [0-9a-f-]{36} on /),
    ]);
  });

  it('C14 is one of two when the same is asked three times', async () => {
    const rig = await openCacheRig();
    for (let i = 0; i < 3; i++) await rig.call();
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, true, true]);
  });

  it('C15 is never one with another body', async () => {
    const rig = await openCacheRig();
    await rig.call();
    await rig.call({ body: chatRequest.replace('Hi', 'Ho') });
    expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, false]);
  });

  it('C16 is none after the cache was cleared', async () => {
    const rig = await openCacheRig();
    await rig.call();
    expect(rig.host.cache.clear()).toBe(0);
    await rig.call();
    rig.host.cache.flush();
    expect(rig.host.cache.clear()).toBe(1);
    await rig.call();
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, false, false]);
  });

  it('C17 carries the ids of its own session', async () => {
    const rig = await openCacheRig({}, { session: { dataId: 'one', comboId: 'x' } });
    await rig.call();
    const other = await rig.openSession({ dataId: 'two', comboId: 'y', cache: { mode: 'on' } });
    await rig.call({ port: other.port });
    const [, second] = await rig.waitForRecords(2);
    expect(second).toMatchObject({ cached: true, dataId: 'two', comboId: 'y', sessionId: other.session.sessionId });
  });

  it('C19 is none in a session without the cache, which makes no file', async () => {
    const rig = await openCacheRig(null);
    await rig.call();
    await rig.call();
    expect(rig.upstream.seen).toHaveLength(2);
    expect(existsSync(rig.path)).toBe(false);
  });

  it('B5 is none of another host, of another account behind a gateway, or of a key in the URL', async () => {
    const rig = await openCacheRig();
    const ask = async (host: string, key: string, path = '/v1/chat/completions') =>
      await rig.call({ host, path, headers: { ...json, authorization: `Bearer ${key}` } });
    await ask('api.openai.com', 'sk-1');
    await ask('api.openai.com', 'sk-2');
    await ask('api.groq.com', 'sk-1', '/openai/v1/chat/completions');
    await ask('openrouter.ai', 'sk-1', '/api/v1/chat/completions');
    await ask('openrouter.ai', 'sk-2', '/api/v1/chat/completions');
    await ask('openrouter.ai', 'sk-1', '/api/v1/chat/completions');
    const cached = (await rig.waitForRecords(6)).map((record) => record.cached);
    expect(cached).toEqual([false, true, false, false, false, true]);
  });

  it('T7 is one of the routed model', async () => {
    let turn = 0;
    const router = async () => (turn++ % 2 === 0 ? 'a' : 'b');
    const rig = await openCacheRig({}, { router, session: { routed: true } });
    for (let i = 0; i < 4; i++) await rig.call();
    const records = await rig.waitForRecords(4);
    expect(records.map(({ routedModel, cached }) => [routedModel, cached])).toEqual([
      ['a', false],
      ['b', false],
      ['a', true],
      ['b', true],
    ]);
    expect(rig.upstream.seen).toHaveLength(2);
    expect(records[3]?.changes[0]).toBe('request: model set to b by the router');
  });

  it('has the headers that are true of the answer, and none of that one exchange', async () => {
    const rig = await openCacheRig();
    const once = {
      ...{ 'x-request-id': 'req_1', date: 'Fri, 27 Nov 2026 00:00:00 GMT', 'set-cookie': 'a=b', server: 'cloudflare' },
      ...{
        'x-ratelimit-remaining-tokens': '5',
        'anthropic-ratelimit-requests-limit': '1',
        'openai-processing-ms': '9',
      },
      ...{ 'cf-ray': '1-FRA', 'openai-organization': 'org-1', etag: '"1"' },
    };
    rig.upstream.handler = answerWith(chatReply, { ...json, 'openai-version': '2020-10-01', ...once });
    await rig.call();
    const { headers } = await rig.call();
    expect(headers).toMatchObject({ ...json, 'openai-version': '2020-10-01' });
    expect(Object.keys(headers).filter((name) => name in once)).toEqual([]);
  });

  it('B22 has the right length where the first was compressed, and comes to who takes no coding', async () => {
    const rig = await openCacheRig();
    rig.upstream.handler = answerWith(gzipSync(chatReply), { ...json, 'content-encoding': 'gzip' });
    const first = await rig.call({ headers: { ...json, 'accept-encoding': 'gzip' } });
    expect(first.headers['content-encoding']).toBe('gzip');
    // What is still being inflated is shared, of a length nobody knows yet.
    await vi.waitFor(() => {
      rig.host.cache.flush();
      const db = new BetterSqlite3(rig.path, { readonly: true });
      onTestFinished(() => void db.close());
      expect(db.prepare('SELECT count(*) AS n FROM entries').get()).toEqual({ n: 1 });
    });
    const second = await rig.call();
    expect(second.headers).toMatchObject({ 'content-length': String(chatReply.length) });
    expect([second.headers['content-encoding'], second.body.toString()]).toEqual([undefined, chatReply]);
  });

  it('is played to a client of HTTP/2, and of HTTP/1.0', async () => {
    const rig = await openCacheRig();
    await rig.call();
    const session = await openHttp2({ port: rig.session.port, ca: rig.ca });
    const reply = await askHttp2(session, {}, chatRequest);
    session.close();
    expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
    const old = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
    const head = `POST /v1/chat/completions HTTP/1.0\r\nhost: api.openai.com\r\ncontent-length: ${chatRequest.length}\r\n`;
    old.write(`${head}content-type: application/json\r\n\r\n${chatRequest}`);
    const text = (await old.toArray()).join('');
    expect(text).toContain(`\r\n\r\n${chatReply}`);
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, true, true]);
  });

  it('leaves no secret of the call in any file of the cache', async () => {
    const rig = await openCacheRig();
    const canary = 'sk-canary-4f9d0b7c2a1e8d6f5b3c';
    const headers = { ...json, authorization: `Bearer ${canary}`, 'x-anything': canary };
    const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: `my key is ${canary}` }] });
    for (const host of ['api.openai.com', 'openrouter.ai']) {
      const path = host === 'openrouter.ai' ? '/api/v1/chat/completions' : '/v1/chat/completions';
      await rig.call({ host, headers, body, path: `${path}?key=${canary}` });
    }
    rig.upstream.handler = answerWith(`{"error":{"message":"bad key ${canary}"}}`, json, 401);
    await rig.call({ headers, path: '/v1/chat/completions?a=1' });
    rig.upstream.handler = answerWith(chatReply.replace('Hello.', `You said ${canary}`));
    await rig.call({ headers, path: '/v1/chat/completions?a=2' });
    rig.upstream.handler = answerWith(chatReply, { ...json, 'x-echo': canary });
    await rig.call({ headers, path: '/v1/chat/completions?a=3' });
    rig.upstream.handler = answerWith(chatReply);
    for (const body of [
      { model: canary },
      { model: 'm', metadata: { [canary]: 1 }, [canary]: 1 },
      { model: 'm', stream: canary },
      { model: 'm', stream_options: { note: canary } },
    ]) {
      await rig.call({ headers, body: JSON.stringify(body), path: `/v1/chat/completions?${canary}` });
    }
    await rig.host.close();
    const files = readdirSync(dirname(rig.path)).map((name) => readFileSync(join(dirname(rig.path), name), 'latin1'));
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((text) => text.includes(canary))).toEqual([]);
    expect(files.some((text) => text.includes('Hello.'))).toBe(true);
  });
});

describe('what a call wants of the cache', () => {
  const control = (value: string) => ({ headers: { ...json, 'x-llmtap-cache': value } });

  it('is said by a header of its own, which its provider never sees', async () => {
    const rig = await openCacheRig();
    await rig.call(control('off'));
    await rig.call(control('off'));
    const records = await rig.waitForRecords(2);
    expect(records.map(({ cached, changes }) => [cached, changes])).toEqual([
      [false, ['request: x-llmtap-cache removed']],
      [false, ['request: x-llmtap-cache removed']],
    ]);
    expect(rig.upstream.seen.flatMap(({ rawHeaders }) => rawHeaders.map((text) => text.toLowerCase()))).not.toContain(
      'x-llmtap-cache',
    );
  });

  it('turns it on for one call of a session without it', async () => {
    const rig = await openCacheRig(null);
    await rig.call(control('on'));
    await rig.call(control('on'));
    await rig.call();
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, true, false]);
  });

  it('is removed from requests that are no calls, too', async () => {
    const rig = await openCacheRig(null);
    await rig.call({ method: 'GET', path: '/v1/models', body: '', ...control('on') });
    expect(rig.upstream.seen[0]?.rawHeaders).not.toContain('x-llmtap-cache');
  });

  it('is told where it cannot be read, once a session', async () => {
    const rig = await openCacheRig();
    await rig.call(control('always'));
    await rig.call(control('always'));
    const faults = await rig.waitForFaults(1);
    expect(faults.map(({ code, sessionId }) => [code, sessionId])).toEqual([
      ['OPTION_INVALID', rig.session.session.sessionId],
    ]);
    expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, true]);
  });

  it('refresh asks the provider and keeps the new reply', async () => {
    const rig = await openCacheRig();
    await rig.call();
    rig.upstream.handler = answerWith(chatReply.replace('Hello.', 'Newer.'));
    expect((await rig.call(control('refresh'))).body.toString()).toContain('Newer.');
    expect((await rig.call()).body.toString()).toContain('Newer.');
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it('has a time to live, of the session and of one call', async () => {
    const rig = await openCacheRig({ ttlMs: 3_600_000 });
    await rig.call();
    await rig.call(control('ttl=90s'));
    await rig.call(control('ttl=0'));
    // What that one kept in its place was over at once.
    await rig.call();
    await rig.call();
    expect((await rig.waitForRecords(5)).map(({ cached }) => cached)).toEqual([false, true, false, false, true]);
    expect(rig.upstream.seen).toHaveLength(3);
  });

  it('only never asks the provider, whatever the request is', async () => {
    const rig = await openCacheRig();
    await rig.call();
    const only = await rig.openSession({ cache: { mode: 'only' } });
    expect((await rig.call({ port: only.port })).body.toString()).toBe(chatReply);
    for (const body of [chatRequest.replace('Hi', 'Ho'), 'no json', 'x'.repeat(17 * 1024 * 1024)]) {
      const reply = await rig.call({ port: only.port, body });
      expect(reply.status).toBe(412);
      expect(reply.headers['x-should-retry']).toBe('false');
    }
    const coded = { ...json, 'content-encoding': 'gzip' };
    expect((await rig.call({ port: only.port, body: gzipSync(chatRequest), headers: coded })).status).toBe(412);
    expect(rig.upstream.seen).toHaveLength(1);
    const records = await rig.waitForRecords(6);
    expect(records.at(-1)).toMatchObject({
      cached: false,
      outcome: 'http_error',
      status: 412,
      changes: ['reply: refused by the tap, for the cache does not have it'],
      usage: { inputTokens: 0, outputTokens: 0 },
      usageProblem: null,
      cost: { usd: 0 },
    });
  });

  it.each(['off', 'on', 'refresh', 'refresh; ttl=1h'])(
    'only lets nothing out, whatever the call’s own header asks for: %s',
    async (asked) => {
      const rig = await openCacheRig({ mode: 'only' });
      for (let i = 0; i < 2; i++)
        expect((await rig.call({ headers: { ...json, 'x-llmtap-cache': asked } })).status).toBe(412);
      expect(rig.upstream.seen).toEqual([]);
      expect((await rig.waitForFaults(1)).map(({ message }) => message)).toEqual([
        expect.stringContaining(
          `it asks for "${asked.split(';')[0]}" in a session whose calls the cache alone may answer`,
        ),
      ]);
    },
  );

  it.each([
    ['api.openai.com', '/v1/chat/completions', { error: { code: 'cache_only_miss', type: 'invalid_request_error' } }],
    ['api.anthropic.com', '/v1/messages', { type: 'error', error: { type: 'invalid_request_error' } }],
    [
      'generativelanguage.googleapis.com',
      '/v1beta/models/gemini-2.5-pro:generateContent',
      { error: { code: 412, status: 'FAILED_PRECONDITION' } },
    ],
    ['bedrock-runtime.eu-west-1.amazonaws.com', '/model/m/converse', { message: expect.stringContaining('llmtap') }],
  ])('only refuses in the words of %s', async (host, path, error) => {
    const rig = await openCacheRig({ mode: 'only' });
    expect(JSON.parse((await rig.call({ host, path })).body.toString())).toMatchObject(error);
    const [record] = await rig.waitForRecords(1);
    expect(record?.error?.message).toContain('the cache alone was to be asked');
  });
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouteDecision } from '../../src/core/routing.js';
import { type AskOptions, ask } from '../fixtures/proxy-client.js';
import { chatFrames, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';

const json = { 'content-type': 'application/json' };
const clientKey = 'sk-client-canary-1234567890';
const otherKey = 'gsk-other-canary-0987654321';
const accounts = { 'openai-organization': 'org-client', 'x-goog-user-project': 'org-client' };
const headers = { ...json, authorization: `Bearer ${clientKey}`, ...accounts, 'x-mine': '1' };

let rig: Rig;
let local: TestUpstream | null = null;
afterEach(async () => {
  await rig.close();
  await local?.close();
  local = null;
});

async function openRouted(decision: RouteDecision, options: Parameters<typeof openRig>[0] = {}): Promise<void> {
  rig = await openRig({ router: () => Promise.resolve(decision), session: { routed: true }, ...options });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
  };
}

const call = async (options: Partial<AskOptions> = {}) =>
  await ask({ port: rig.session.port, ca: rig.ca, headers, body: chatRequest, ...options });

function readHeaders(upstream = rig.upstream): Record<string, string> {
  const raw = upstream.seen[0]?.rawHeaders ?? [];
  return Object.fromEntries(raw.flatMap((value, i) => (i % 2 === 1 ? [[raw[i - 1]?.toLowerCase(), value]] : [])));
}

describe('a call its router sends to another provider of the same API', () => {
  it('goes to its host, its path and with its key, and the client sees only the reply', async () => {
    await openRouted({ model: 'llama-3.3-70b', provider: 'groq', apiKey: otherKey });
    const got = await call();
    expect([got.status, got.body.toString()]).toEqual([200, chatReply]);
    const [seen] = rig.upstream.seen;
    expect([seen?.servername, seen?.url]).toEqual(['api.groq.com', '/openai/v1/chat/completions']);
    expect(JSON.parse(seen?.body.toString() ?? '')).toMatchObject({ model: 'llama-3.3-70b' });
    const sent = readHeaders();
    expect(sent).toMatchObject({ host: 'api.groq.com', authorization: `Bearer ${otherKey}`, 'x-mine': '1' });
    expect(sent['content-length']).toBe(String(seen?.body.length));
    expect(JSON.stringify(sent)).not.toMatch(/canary-123|org-client/);
  });

  it('goes with what its query asks, but for whose account it is', async () => {
    await openRouted({ model: 'llama-3.3-70b', provider: 'groq', apiKey: otherKey });
    await call({
      path: '/v1/chat/completions?$userProject=mine&userProject=mine&quotaUser=mine&api-version=1&plain=yes',
    });
    expect(rig.upstream.seen[0]?.url).toBe('/openai/v1/chat/completions?plain=yes');
  });

  it('is recorded as a call of that provider, with what was changed', async () => {
    await openRouted({ model: 'llama-3.3-70b', provider: 'groq', apiKey: otherKey });
    await call();
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      provider: 'groq',
      api: 'chat.completions',
      url: 'https://api.groq.com/openai/v1/chat/completions',
      requestedModel: 'gpt-4o',
      routedModel: 'llama-3.3-70b',
      changes: [
        'request: sent to groq instead of openai by the router',
        'request: model set to llama-3.3-70b by the router',
      ],
    });
  });

  it('leaves without credentials where the router gives none', async () => {
    local = await openUpstream({ plain: true });
    local.handler = (request, response) =>
      request.on('end', () => response.writeHead(200, json).end(chatReply)).resume();
    const providers = [{ name: 'mine', baseUrl: `http://127.0.0.1:${local.port}/v1` }];
    await openRouted({ model: 'qwen3', provider: 'mine' }, { providers });
    expect((await call()).body.toString()).toBe(chatReply);
    expect([rig.upstream.seen, local.seen[0]?.url]).toEqual([[], '/v1/chat/completions']);
    const sent = readHeaders(local);
    expect(sent.host).toBe(`127.0.0.1:${local.port}`);
    expect(sent).not.toHaveProperty('authorization');
  });

  it("is asked for a stream's usage by that provider's rules", async () => {
    // Groq is not asked, as it takes no stream_options.
    await openRouted({ model: 'llama', provider: 'groq', apiKey: otherKey });
    rig.upstream.handler = (request, response) => {
      const send = () => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames.join(''));
      request.on('end', send).resume();
    };
    expect((await call({ body: chatStreamRequest })).body.toString()).toBe(chatFrames.join(''));
    expect(rig.upstream.seen[0]?.body.toString()).not.toContain('stream_options');
  });

  it('names the provider that cannot be reached', async () => {
    const providers = [{ name: 'gone', baseUrl: 'http://127.0.0.1:1' }];
    await openRouted({ model: 'a', provider: 'gone' }, { providers });
    const got = await call();
    expect([got.status, got.body.toString()]).toEqual([502, expect.stringContaining('127.0.0.1:1')]);
  });

  it.each<readonly [string, string, string, Record<string, string>]>([
    ['anthropic', '/v1/messages', 'x-api-key', { 'anthropic-version': '2023-06-01', 'x-api-key': clientKey }],
    ['google', '/v1beta/models/gemini-2.5-pro:generateContent?key=AIzaclientcanary123', 'x-goog-api-key', {}],
  ])('speaks %s as well, to a server of the user', async (dialect, path, header, own) => {
    local = await openUpstream({ plain: true });
    local.handler = (request, response) => request.on('end', () => response.writeHead(200, json).end('{}')).resume();
    const baseUrl = `http://127.0.0.1:${local.port}`;
    const providers = [{ name: 'mine', baseUrl, dialect: dialect as 'anthropic' | 'google' }];
    await openRouted({ model: 'mine-1', provider: 'mine', apiKey: otherKey }, { providers });
    const host = dialect === 'anthropic' ? 'api.anthropic.com' : 'generativelanguage.googleapis.com';
    const body = dialect === 'anthropic' ? '{"model":"claude-opus-4-5","messages":[]}' : '{"contents":[]}';
    await call({ host, path, body, headers: { ...json, ...own } });
    const sent = readHeaders(local);
    expect(sent[header]).toBe(otherKey);
    expect(JSON.stringify([sent, local.seen[0]?.url])).not.toContain('clientcanary');
    expect(sent['anthropic-version']).toBe(own['anthropic-version']);
    if (dialect === 'anthropic')
      expect(JSON.parse(local.seen[0]?.body.toString() ?? '')).toMatchObject({ model: 'mine-1' });
    else expect(local.seen[0]?.url).toBe('/v1beta/models/mine-1:generateContent');
  });
});

describe("a key of the router's for the provider that was asked", () => {
  it("takes the place of the client's", async () => {
    await openRouted({ model: 'gpt-4o', apiKey: otherKey });
    await call();
    expect(readHeaders()).toMatchObject({ authorization: `Bearer ${otherKey}`, 'openai-organization': 'org-client' });
    expect((await rig.waitForRecords(1))[0]).toMatchObject({
      provider: 'openai',
      changes: ["request: sent with the router's key instead of the client's"],
    });
  });
});

describe('a provider the call cannot go to leaves it as asked, and one fault says why', () => {
  it.each([
    ['gemini-cli-oauth', /gemini-cli-oauth does not serve chat\.completions, and calls are not translated/],
    ['nobody', /there is no provider "nobody"/],
    ['azure-openai', /where azure-openai is depends on the account: register it/],
    ['cohere', /cohere does not serve responses/],
  ])('%s', async (provider, why) => {
    await openRouted({ model: 'a', provider, apiKey: otherKey });
    const isResponses = provider === 'cohere';
    const path = isResponses ? '/v1/responses' : '/v1/chat/completions';
    for (let i = 0; i < 2; i++) expect((await call({ path })).status).toBe(200);
    expect(rig.upstream.seen.map(({ servername }) => servername)).toEqual(['api.openai.com', 'api.openai.com']);
    expect(readHeaders().authorization).toBe(`Bearer ${clientKey}`);
    expect(rig.faults).toMatchObject([{ code: 'ROUTER_FAILED' }]);
    expect(rig.faults[0]?.message).toMatch(why);
    expect((await rig.waitForRecords(2))[0]).toMatchObject({ provider: 'openai', routedModel: 'gpt-4o', changes: [] });
  });
});

it('a key of the router is in no file, record, fault or event, also where the provider repeats it', async () => {
  await openRouted({ model: 'a', provider: 'groq', apiKey: otherKey });
  const error = JSON.stringify({
    error: { message: `Incorrect API key provided: ${otherKey}`, code: 'invalid_api_key' },
  });
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(401, json).end(error)).resume();
  };
  const got = await call();
  expect(got.body.toString()).toBe(error);
  await rig.waitForRecords(1);
  expect(JSON.stringify([rig.records, rig.faults])).not.toContain(otherKey);
  await rig.host.close();
  for (const file of listFiles(rig.home)) expect(readFileSync(file).includes(otherKey), file).toBe(false);
});

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

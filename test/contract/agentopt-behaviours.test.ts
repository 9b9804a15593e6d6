/**
 * Behaviours of AgentOpt's tracker that llmtap keeps, by the ids of the acceptance list, over real sockets. Numbers it
 * gave as 0 where nothing was known are null here.
 *
 * Not here, because what they are about comes with a later issue:
 * - the gateway daemon and its command line: E1 to E18
 * - selection of models, its results and objectives: S1 to S9, O1 to O25
 *
 * T1 to T9 stand in and are named by `agentopt-behaviours-routing.test.ts`, K1 to K9 in `agentopt-behaviours-concurrency.test.ts`.
 *
 * C1 to C22 and D1 to D25, of the response cache, stand in `test/cache` and `test/storage/cache-store.test.ts`;
 * `agentopt-behaviours-cache.test.ts` holds that each of them is named.
 *
 * P2 (`resolve_target`, a reading of the path without a header) and G7 (an in-process patch) have no counterpart of
 * their own: what a call is follows from host, path and method at the proxy, which P2 and G7 below ask for.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../src/providers/registry.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { ask, openTunnel } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(reply);
});
afterEach(async () => await rig.close());

const json = { 'content-type': 'application/json' };
const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}';
const reply = '{"id":"c1","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
const geminiReply =
  '{"response":{"modelVersion":"gemini-2.5-pro","candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}}';

const askChat = async () => await ask({ port: rig.session.port, ca: rig.ca, body });

function readLedger() {
  const ledger = openLedgerReader({ home: rig.home });
  try {
    return [...ledger.listCalls({})];
  } finally {
    ledger.close();
  }
}

describe('recording', () => {
  it('R1 keeps a 200 with its status, its tokens and no error', async () => {
    expect((await askChat()).body.toString()).toBe(reply);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ status: 200, outcome: 'ok', error: null });
    expect(record?.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  it.each([
    ['R2', 500],
    ['R3', 429],
  ])('%s keeps a %i with its error, unknown tokens and a latency', async (_id, status) => {
    rig.upstream.handler = (_request, response) => response.writeHead(status, json).end('{"error":{}}');
    expect((await askChat()).status).toBe(status);
    const [record, ...more] = await rig.waitForRecords(1);
    expect(more).toEqual([]);
    expect(record).toMatchObject({ status, outcome: 'http_error' });
    expect(record?.error?.message).toContain(`HTTP ${status}`);
    expect([record?.usage.inputTokens, record?.usage.outputTokens]).toEqual([null, null]);
    expect(record?.latencyMs).toBeGreaterThan(0);
  });

  it('R4 keeps a refused connection as one call without a reply, and its client is told', async () => {
    const refusing = await openRig({ connectTo: [':443:127.0.0.1:1'] });
    const got = await ask({ port: refusing.session.port, ca: refusing.ca, body });
    expect(got.status).toBe(502);
    expect(JSON.parse(got.body.toString())).toMatchObject({ error: { code: 'UPSTREAM_UNREACHABLE' } });
    const records = await refusing.waitForRecords(1);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ status: 0, outcome: 'upstream_error', usage: { inputTokens: null } });
    expect(records[0]?.error?.message).toMatch(/refused/i);
    await refusing.close();
  });

  it('R5 keeps a call that is under way when its session ends', async () => {
    let arrived: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    rig.upstream.handler = (_request, response) => {
      response.writeHead(200, json).write(reply.slice(0, 20));
      arrived();
    };
    // The client may hear of the cut before the close has resolved.
    const asking = askChat().then(
      ({ complete }) => complete,
      () => false,
    );
    await arrival;
    await rig.session.close();
    expect(await asking).toBe(false);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ sessionId: rig.session.session.sessionId, outcome: 'client_aborted' });
    await rig.host.close();
    expect(readLedger()).toHaveLength(1);
  });

  it('R6 takes nothing through the port of a session that has ended, and crashes nothing', async () => {
    await rig.session.close();
    await expect(openTunnel(rig.session.port, 'api.openai.com:443')).rejects.toThrow(/ECONNREFUSED/);
    expect(rig.records).toEqual([]);
    const next = await rig.openSession();
    expect((await ask({ port: next.port, ca: rig.ca, body })).status).toBe(200);
  });

  it('C18 passes a GET /health unaltered and unrecorded', async () => {
    rig.upstream.handler = (request, response) => response.writeHead(200).end(`${request.method} ${request.url}`);
    const got = await ask({ port: rig.session.port, ca: rig.ca, method: 'GET', path: '/health' });
    expect([got.status, got.body.toString()]).toEqual([200, 'GET /health']);
    expect(rig.session.counts()).toMatchObject({ calls: 0, passedRequests: 1 });
    expect(rig.records).toEqual([]);
  });
});

describe('providers', () => {
  const host = 'cloudcode-pa.googleapis.com';

  it('P1 knows /v1internal:generateContent as a call of gemini-cli-oauth, at its own host', () => {
    const registry = openRegistry();
    const origin = { scheme: 'https', host, port: 443 } as const;
    const head = { origin, method: 'POST', path: '/v1internal:generateContent', rawHeaders: [] };
    expect(registry.isProvider(origin)).toBe(true);
    expect(registry.recognise(head)).toMatchObject({ provider: 'gemini-cli-oauth' });
    expect(registry.recognise({ ...head, origin: { ...origin, host: 'api.openai.com' } })).toBeUndefined();
  });

  it.each([
    ['P2', '/v1internal:streamGenerateContent?alt=sse'],
    ['P3', '/v1internal:generateContent'],
  ])('%s has %s on record without any header that names its target', async (_id, path) => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(geminiReply);
    await ask({ port: rig.session.port, ca: rig.ca, host, path, body: '{"model":"gemini-2.5-pro","request":{}}' });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ provider: 'gemini-cli-oauth', requestedModel: 'gemini-2.5-pro' });
  });

  it('P4 takes a GET on chat/completions for no call', async () => {
    await ask({ port: rig.session.port, ca: rig.ca, method: 'GET' });
    expect(rig.session.counts()).toMatchObject({ calls: 0, passedRequests: 1 });
  });

  it('P5 has a call of the Gemini CLI on record from end to end', async () => {
    rig.upstream.handler = (_request, response) => response.writeHead(200, json).end(geminiReply);
    const path = '/v1internal:generateContent';
    await ask({ port: rig.session.port, ca: rig.ca, host, path, body: '{"model":"gemini-2.5-pro","request":{}}' });
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ status: 200, usage: { inputTokens: 3, outputTokens: 2 }, model: 'gemini-2.5-pro' });
    expect(record?.url.endsWith(path)).toBe(true);
  });
});

describe('a registered provider', () => {
  let model: TestUpstream;
  beforeEach(async () => {
    model = await openUpstream({ plain: true });
    model.handler = (_request, response) => response.writeHead(200, json).end(reply);
  });
  afterEach(async () => await model.close());

  const askModel = async (path = '/v1/chat/completions', port = rig.session.port) => {
    const { socket } = await openTunnel(port, `localhost:${model.port}`);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    let text = '';
    for await (const piece of socket) text += String(piece);
    return text;
  };

  it('G1 is added with its host', () => {
    const registry = openRegistry();
    const origin = { scheme: 'https', host: 'llm.example', port: 443 } as const;
    expect(registry.isProvider(origin)).toBe(false);
    registry.register({ name: 'mine', baseUrl: 'https://llm.example' });
    expect(registry.isProvider(origin)).toBe(true);
    expect(registry.registered).toEqual([origin]);
  });

  it('G2 may have a port and a path: its calls at localhost are seen', async () => {
    rig.host.registerProvider({ name: 'local', baseUrl: `http://localhost:${model.port}/prefix` });
    expect(await askModel('/prefix/v1/chat/completions')).toContain(reply);
    expect(await rig.waitForRecords(1)).toMatchObject([{ provider: 'local', usage: { inputTokens: 3 } }]);
  });

  it('G3 makes no other host one: those are tunnelled unread', async () => {
    rig.host.registerProvider({ name: 'local', baseUrl: 'http://localhost:1' });
    expect(await askModel()).toContain(reply);
    expect(rig.session.counts()).toMatchObject({ calls: 0, passedRequests: 0, tunnels: 1 });
  });

  it.each(['api.openai.com', 'api.anthropic.com', 'generativelanguage.googleapis.com', 'cloudcode-pa.googleapis.com'])(
    'G4 leaves %s what it is',
    (host) => {
      const registry = openRegistry();
      registry.register({ name: 'mine', baseUrl: 'https://llm.example' });
      expect(registry.isProvider({ scheme: 'https', host, port: 443 })).toBe(true);
    },
  );

  it.each([
    ['my-own.openai.azure.com', true],
    ['openai.azure.com.example', false],
    ['bedrock-runtime.eu-central-1.amazonaws.com', true],
    ['bedrock-runtime.us-gov-west-1.amazonaws.com', true],
    ['bedrock-runtime.eu-central-1.amazonaws.com.example', false],
    ['s3.eu-central-1.amazonaws.com', false],
  ])('G5 has the wildcards of Azure and Bedrock beside it: %s, %s', (host, isOne) => {
    const registry = openRegistry();
    registry.register({ name: 'mine', baseUrl: 'https://llm.example' });
    expect(registry.isProvider({ scheme: 'https', host, port: 443 })).toBe(isOne);
  });

  it('G6 and G8 are known to their own host alone, with their paths', async () => {
    const other = await openRig();
    const baseUrl = `http://localhost:${model.port}`;
    rig.host.registerProvider({ name: 'local', baseUrl, pathPatterns: ['/custom/talk'] });
    expect(await askModel('/custom/talk', other.session.port)).toContain(reply);
    expect(other.session.counts()).toMatchObject({ calls: 0, tunnels: 1 });
    expect(await askModel('/custom/talk')).toContain(reply);
    await rig.waitForRecords(1);
    expect(other.records).toEqual([]);
    await other.close();
  });

  it('G7 has its path seen from its registration on, and not before', async () => {
    const baseUrl = `http://localhost:${model.port}`;
    rig.host.registerProvider({ name: 'local', baseUrl });
    await askModel('/custom/talk');
    expect(rig.session.counts()).toMatchObject({ calls: 0, passedRequests: 1 });
    rig.host.registerProvider({ name: 'local', baseUrl, pathPatterns: ['/custom/talk'] });
    await askModel('/custom/talk');
    expect(rig.session.counts()).toMatchObject({ calls: 1, passedRequests: 1 });
  });

  it('G9 has a call to a path of its own on record from end to end', async () => {
    const baseUrl = `http://localhost:${model.port}`;
    rig.host.registerProvider({ name: 'local', baseUrl, pathPatterns: ['/custom/*/talk'] });
    await askModel('/custom/one/talk');
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({
      provider: 'local',
      status: 200,
      requestedModel: 'gpt-4o',
      usage: { inputTokens: 3, outputTokens: 2 },
      url: `${baseUrl}/custom/one/talk`,
    });
  });
});

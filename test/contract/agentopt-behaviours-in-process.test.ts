/**
 * Behaviours of AgentOpt's tracker by the ids of the acceptance list, for calls a program makes itself inside a scope:
 * recording, providers, registered providers. The same behaviours at the proxy are in agentopt-behaviours.test.ts, and
 * T1 is in test/tracker/scopes.test.ts. Numbers it gave as 0 where nothing was known are null here.
 *
 * P1 and P2, G1 to G6 are about a table of hosts and paths: asked of the registry there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LLMTracker } from '../../dist/index.js';
import { makeTestCertificate } from '../fixtures/upstream.js';
import { openTrackerLab, type TrackerLab } from '../tracker/tracker-lab.js';

let lab: TrackerLab;
let tracker: LLMTracker;
let server: http.Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

const json = { 'content-type': 'application/json' };
const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}';
const reply = '{"id":"c1","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';

beforeEach(async () => {
  answer = (_request, response) => response.writeHead(200, json).end(reply);
  server = http.createServer((request, response) => request.resume().on('end', () => answer(request, response)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  tracker = await lab.makeTracker({ providers: [{ name: 'mine', baseUrl: url }] }).start();
});
afterEach(async () => {
  await tracker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = async (path = '/v1/chat/completions', method = 'POST'): Promise<Response> => {
  const response = await fetch(`${url}${path}`, { method, headers: json, ...(method === 'POST' && { body }) });
  await response.clone().text();
  return response;
};

describe('recording in process', () => {
  it('R1 keeps a 200 with its status, its tokens and no error', async () => {
    expect(await tracker.track(async () => await (await ask()).text())).toBe(reply);
    expect(await tracker.records()).toMatchObject([
      { status: 200, error: null, usage: { inputTokens: 3, outputTokens: 2 } },
    ]);
  });

  it.each([
    ['R2', 500],
    ['R3', 429],
  ])('%s keeps a %i with its error, unknown tokens and a latency', async (_id, status) => {
    answer = (_request, response) => response.writeHead(status, json).end('{"error":{}}');
    expect((await tracker.track(async () => await ask())).status).toBe(status);
    const [record, ...more] = await tracker.records();
    expect(more).toEqual([]);
    expect(record).toMatchObject({ status, outcome: 'http_error', usage: { inputTokens: null, outputTokens: null } });
    expect(record?.error?.message).toContain(`HTTP ${status}`);
    expect(record?.latencyMs).toBeGreaterThan(0);
  });

  it('R4 keeps a refused connection as one call, and its caller gets the exception of any refused connection', async () => {
    await new Promise((resolve) => server.close(resolve));
    const direct: unknown = await ask().catch((error: unknown) => error);
    const tapped: unknown = await tracker.track(async () => await ask()).catch((error: unknown) => error);
    expect(tapped).toBeInstanceOf(TypeError);
    expect(tapped).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED', syscall: 'connect' } });
    expect((tapped as Error).cause).toEqual((direct as Error).cause);
    expect(await tracker.records()).toMatchObject([
      { status: 0, outcome: 'upstream_error', usage: { inputTokens: null }, error: { code: 'UPSTREAM_UNREACHABLE' } },
    ]);
  });

  it('R5 keeps a call that ends after its session', async () => {
    answer = (_request, response) => void response.writeHead(200, json).write(reply.slice(0, 20));
    let end: () => void = () => undefined;
    const plain = answer;
    answer = (request, response) => {
      plain(request, response);
      end = () => void response.end(reply.slice(20));
    };
    const response = await tracker.track(
      async () => await fetch(`${url}/v1/chat/completions`, { method: 'POST', body }),
    );
    expect(await tracker.records()).toEqual([]);
    end();
    expect(await response.text()).toBe(reply);
    expect(await tracker.records()).toMatchObject([{ outcome: 'ok', usage: { inputTokens: 3 } }]);
  });

  it('R6 leaves a call of a scope that is over untouched, and crashes nothing', async () => {
    let leaked: () => Promise<Response> = async () => await ask();
    await tracker.track(async (session) => {
      leaked = async () => await session.run(async () => await ask());
      await ask();
    });
    await expect(leaked()).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
    expect((await ask()).status).toBe(200);
    expect(await tracker.records()).toHaveLength(1);
  });
});

describe('providers in process', () => {
  it('P4 takes a GET for no call, and passes it unaltered', async () => {
    answer = (request, response) => response.end(request.method);
    const text = await tracker.track(async () => await (await ask('/v1/chat/completions', 'GET')).text());
    expect([text, await tracker.records()]).toEqual(['GET', []]);
  });

  it('P3 P5 keep a call of the Gemini CLI, with its URL', async () => {
    const host = 'cloudcode-pa.googleapis.com';
    const path = '/v1internal:generateContent';
    const { key, cert, ca } = makeTestCertificate(host);
    const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 };
    const wrapped = JSON.stringify({ response: { modelVersion: 'gemini-2.5-pro', candidates: [], usageMetadata } });
    const secure = https.createServer({ key, cert }, (request, response) => {
      request.resume().on('end', () => response.writeHead(200, json).end(wrapped));
    });
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    const upstreamCa = join(mkdtempSync(join(tmpdir(), 'llmtap-contract-')), 'ca.pem');
    writeFileSync(upstreamCa, ca);
    const gemini = await lab.makeTracker({ connectTo: [`${host}:443:127.0.0.1:${port}`], upstreamCa }).start();
    const text = await gemini.track(async () => {
      return await (
        await fetch(`https://${host}${path}`, { method: 'POST', headers: json, body: '{"model":"m"}' })
      ).text();
    });
    expect(text).toBe(wrapped);
    const [record] = await gemini.records();
    expect(record).toMatchObject({ provider: 'gemini-cli-oauth', status: 200, usage: { inputTokens: 3 } });
    expect(record?.url.endsWith(path)).toBe(true);
    await gemini.close();
    secure.closeAllConnections();
    await new Promise((resolve) => secure.close(resolve));
    rmSync(dirname(upstreamCa), { recursive: true });
  });
});

describe('registered providers in process', () => {
  it('G7 take a path once it is registered, and not before', async () => {
    const said = '/my/llm';
    await tracker.track(async () => await ask(said));
    expect(await tracker.records()).toEqual([]);
    await tracker.registerProvider({ name: 'mine', baseUrl: url, pathPatterns: [said] });
    await tracker.track(async () => await ask(said));
    expect((await tracker.records()).map(({ provider }) => provider)).toEqual(['mine']);
  });

  it('G6 G8 are their tracker’s own', async () => {
    const other = await lab.makeTracker().start();
    await other.track(async () => await ask());
    expect([await other.records(), await tracker.records()]).toEqual([[], []]);
  });

  it('G9 have their calls on record from end to end', async () => {
    await tracker.registerProvider({ name: 'own', baseUrl: url, pathPatterns: ['/api/*/ask'] });
    await tracker.track({ dataId: 'd' }, async () => await ask('/api/x/ask'));
    expect(await tracker.records()).toMatchObject([
      {
        provider: 'own',
        dataId: 'd',
        status: 200,
        url: `${url}/api/x/ask`,
        usage: { inputTokens: 3, outputTokens: 2 },
      },
    ]);
  });
});

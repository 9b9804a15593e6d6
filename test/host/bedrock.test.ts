import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouteQuestion } from '../../src/core/routing.js';
import { isSignedBy } from '../fixtures/aws-signature.js';
import { encodeChunk, encodeEvent, encodeException } from '../fixtures/event-stream.js';
import { ask, makeTunnelAgent } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const host = 'bedrock-runtime.us-east-1.amazonaws.com';
const profile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3';
const usage = { inputTokens: 3, outputTokens: 4, totalTokens: 7 };
const eventStream = { 'content-type': 'application/vnd.amazon.eventstream' };
const json = { 'content-type': 'application/json' };

let rig: Rig;
afterEach(async () => await rig.close());

/** AWS's client through the session's door, HTTP/1.1. */
function openClient(): BedrockRuntimeClient {
  // The agent gives sockets on which TLS is done already, as an agent for HTTPS would.
  const agent = Object.assign(makeTunnelAgent(rig.session.port, rig.ca), { protocol: 'https:', defaultPort: 443 });
  return new BedrockRuntimeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey },
    requestHandler: new NodeHttpHandler({ httpsAgent: agent as never }),
    maxAttempts: 1,
  });
}

const messages = [{ role: 'user' as const, content: [{ text: 'Grüße, sag „hallo“' }] }];
const converseReply = JSON.stringify({
  output: { message: { role: 'assistant', content: [{ text: 'Hallo' }] } },
  stopReason: 'end_turn',
  usage,
  metrics: { latencyMs: 1 },
});

describe('a request signed by AWS’s client', () => {
  it('arrives as it was signed, its path encoded as it was', async () => {
    rig = await openRig();
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, json).end(converseReply)).resume();
    };
    await openClient().send(new ConverseCommand({ modelId: profile, messages }));
    const [record] = await rig.waitForRecords(1);
    const [seen] = rig.upstream.seen;
    expect(seen?.url).toBe(`/model/${encodeURIComponent(profile)}/converse`);
    expect(seen !== undefined && isSignedBy(secretAccessKey, seen)).toBe(true);
    expect(seen !== undefined && isSignedBy('another', seen)).toBe(false);
    expect(record).toMatchObject({ provider: 'aws-bedrock', requestedModel: profile, usage, changes: [] });
    expect(JSON.stringify(record)).not.toContain('Signature=');
  });

  it('is not routed, and a fault says why', async () => {
    const questions: RouteQuestion[] = [];
    const router = (question: RouteQuestion): Promise<string> => {
      questions.push(question);
      return Promise.resolve('other');
    };
    rig = await openRig({ router, session: { routed: true } });
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, json).end(converseReply)).resume();
    };
    await openClient().send(new ConverseCommand({ modelId: 'amazon.nova-lite-v1:0', messages }));
    await rig.waitForRecords(1);
    const [fault] = await rig.waitForFaults(1);
    expect(questions).toEqual([]);
    expect(fault).toMatchObject({ code: 'ROUTER_FAILED' });
    expect(fault?.message).toMatch(/it is signed, path and body, and would be refused with another model/);
    const [seen] = rig.upstream.seen;
    expect(seen !== undefined && isSignedBy(secretAccessKey, seen)).toBe(true);
  });

  it('is not routed when its signature stands in the query either', async () => {
    rig = await openRig({ router: () => Promise.resolve('other'), session: { routed: true } });
    const path = '/model/m/converse?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5d672d79c15b1316';
    await ask({ port: rig.session.port, ca: rig.ca, host, path, headers: json, body: JSON.stringify({ messages }) });
    const [fault] = await rig.waitForFaults(1);
    expect(fault?.message).toMatch(/it is signed/);
    expect(rig.upstream.seen[0]?.url).toBe(path);
  });

  it('is routed when it carries an API key instead', async () => {
    rig = await openRig({ router: () => Promise.resolve('amazon.nova-pro-v1:0'), session: { routed: true } });
    rig.upstream.handler = (request, response) => {
      request.on('end', () => response.writeHead(200, json).end(converseReply)).resume();
    };
    const headers = { ...json, authorization: 'Bearer bedrock-api-key-example' };
    const path = '/model/amazon.nova-lite-v1%3A0/converse';
    await ask({ port: rig.session.port, ca: rig.ca, host, path, headers, body: JSON.stringify({ messages }) });
    const [record] = await rig.waitForRecords(1);
    expect(rig.upstream.seen[0]?.url).toBe('/model/amazon.nova-pro-v1%3A0/converse');
    expect(record).toMatchObject({ requestedModel: 'amazon.nova-lite-v1:0', routedModel: 'amazon.nova-pro-v1:0' });
  });
});

const event = encodeEvent('contentBlockDelta', { delta: { text: 'Grüße' } });
const exception = encodeException('throttlingException', 'Slow down');

describe('an AWS event stream', () => {
  const key = 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD';

  it('passes message by message while it is written, and has its first token and usage on record', async () => {
    rig = await openRig();
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    rig.upstream.handler = (request, response) => {
      request.on('end', () => {
        response
          .writeHead(200, eventStream)
          .write(encodeEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hal' } }));
        void waiting.then(() => {
          response.write(encodeEvent('messageStop', { stopReason: 'end_turn' }));
          response.end(encodeEvent('metadata', { usage, metrics: { latencyMs: 1 } }));
        });
      });
      request.resume();
    };
    const { stream = [] } = await openClient().send(new ConverseStreamCommand({ modelId: 'm', messages }));
    const events: string[] = [];
    for await (const event of stream) {
      events.push(Object.keys(event).join());
      // The rest is not written before the first event has come.
      goOn();
    }
    expect(events).toEqual(['contentBlockDelta', 'messageStop', 'metadata']);
    const [record] = await rig.waitForRecords(1);
    expect(record).toMatchObject({ api: 'converseStream', stream: true, partial: false, usage, usageProblem: null });
    expect(record?.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it.each(['converse', 'invoke'])(
    'is kept as text without the secrets in it, base64 or not, also cut apart: %s',
    async (way) => {
      rig = await openRig();
      const texts = [`Your key is ${key.slice(0, 20)}`, `${key.slice(20)} and no other.`];
      const frames = texts.map((text) =>
        way === 'converse'
          ? encodeEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })
          : encodeChunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      );
      rig.upstream.handler = (request, response) => {
        request.on('end', () => response.writeHead(200, eventStream).end(Buffer.concat(frames))).resume();
      };
      const client = openClient();
      const said: string[] = [];
      if (way === 'converse') {
        const { stream = [] } = await client.send(new ConverseStreamCommand({ modelId: 'm', messages }));
        for await (const event of stream) said.push(event.contentBlockDelta?.delta?.text ?? '');
      } else {
        const { body = [] } = await client.send(new InvokeModelWithResponseStreamCommand({ modelId: 'm', body: '{}' }));
        for await (const { chunk } of body) {
          const document = JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()) as { delta: { text: string } };
          said.push(document.delta.text);
        }
      }
      expect(said.join('')).toContain(key);
      const [record] = await rig.waitForRecords(1);
      const kept = JSON.stringify(record?.responseBody);
      expect(kept).toContain('Your key is ');
      expect(kept).toContain('and no other.');
      for (let at = 0; at + 12 <= key.length; at++) expect(kept).not.toContain(key.slice(at + 4, at + 12));
      const base64 = Buffer.from(frames[0] ?? '').toString('base64');
      expect(kept).not.toContain(base64.slice(0, 40));
    },
  );

  it.each([
    [
      'messages and what cannot be read',
      [event, exception, Buffer.from('no message at all')],
      (text: unknown) => {
        const lines = String(text).trimEnd().split('\n');
        expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual([
          { contentBlockDelta: { delta: { text: 'Grüße' } } },
          { throttlingException: { message: 'Slow down' } },
        ]);
        expect(lines.slice(2)).toEqual([expect.stringMatching(/^\[.*does not begin as one should.*\]$/)]);
      },
    ],
    [
      'a document in its place',
      [Buffer.from('  {"message":'), Buffer.from('"No such model"}')],
      (body: unknown) => expect(body).toEqual({ message: 'No such model' }),
    ],
    [
      'an end in the middle of a message',
      [event, event.subarray(0, 20)],
      (text: unknown) => expect(String(text)).toMatch(/"Grüße".*\n\[.*ends in the middle of a message.*\]\n$/),
    ],
  ])('is kept with %s, however its bytes come', async (_what, pieces, check) => {
    rig = await openRig();
    let size = 1e6;
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, eventStream);
        const bytes = Buffer.concat(pieces);
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
        response.end();
      });
    };
    for (size of [1e6, 7, 1]) {
      await ask({ port: rig.session.port, ca: rig.ca, host, path: '/model/m/converse-stream', body: '{}' });
    }
    const records = await rig.waitForRecords(3);
    for (const { responseBody } of records) check(responseBody);
  });
});

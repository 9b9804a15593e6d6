import { expect, it, onTestFinished } from 'vitest';
import {
  answer,
  bedrockKey,
  clientKey,
  encodeStream,
  eventStream,
  listDocuments,
  openCloudRig,
  question,
} from '../fixtures/cloud-rig.js';
import { askHttp2, openHttp2 } from '../fixtures/http2-client.js';
import { openHttp2Upstream } from '../fixtures/http2-upstream.js';

const decision = { model: 'anthropic.m', provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };
const head = { ':path': '/v1/messages?beta=true', 'x-api-key': clientKey, 'anthropic-version': '2023-06-01' };
const body = JSON.stringify({ ...question, stream: true });
const types = listDocuments('answer.sse').map(({ type }) => `event: ${type as string}`);
const listEvents = (reply: Buffer): string[] => reply.toString().match(/^event: .*$/gm) ?? [];

it('a call over HTTP/2 goes to Bedrock over HTTP/1.1, and its client gets Anthropic’s events', async () => {
  const rig = await openCloudRig(() => decision);
  answer(rig, (response) => response.writeHead(200, eventStream).end(Buffer.concat(encodeStream('answer.sse'))));
  const client = await openHttp2({ port: rig.session.port, ca: rig.ca, host: 'api.anthropic.com' });
  onTestFinished(() => client.destroy());
  const reply = await askHttp2(client, head, body);
  expect([reply.status, reply.headers['content-type'], reply.headers['request-id']]).toEqual([
    ...[200, 'text/event-stream; charset=utf-8', 'aws-2'],
  ]);
  expect(listEvents(reply.body)).toEqual(types);
  const [seen] = rig.upstream.seen;
  expect([seen?.servername, seen?.url]).toEqual([
    'bedrock-runtime.us-east-1.amazonaws.com',
    '/model/anthropic.m/invoke-with-response-stream',
  ]);
  expect(seen?.rawHeaders).not.toContain(clientKey);
  expect((await rig.waitForRecords(1))[0]).toMatchObject({ provider: 'aws-bedrock', outcome: 'ok', protocol: 'h2' });
});

it('a call over HTTP/2 goes to Bedrock over HTTP/2 where that is spoken', async () => {
  const provider = await openHttp2Upstream({ host: 'bedrock-runtime.us-east-1.amazonaws.com' });
  onTestFinished(async () => await provider.close());
  const options = { connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath };
  const rig = await openCloudRig(() => decision, options);
  const asked: unknown[] = [];
  provider.handler = (stream, headers) => {
    asked.push([headers[':authority'], headers[':path'], headers.authorization, headers['x-api-key']]);
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200, ...eventStream });
      for (const frame of encodeStream('answer.sse')) stream.write(frame);
      stream.end();
    });
  };
  const client = await openHttp2({ port: rig.session.port, ca: rig.ca, host: 'api.anthropic.com' });
  onTestFinished(() => client.destroy());
  const reply = await askHttp2(client, head, body);
  expect(listEvents(reply.body)).toEqual(types);
  expect(asked).toEqual([
    [
      'bedrock-runtime.us-east-1.amazonaws.com',
      '/model/anthropic.m/invoke-with-response-stream',
      `Bearer ${bedrockKey}`,
      undefined,
    ],
  ]);
});

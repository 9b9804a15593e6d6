import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RouteDecision } from '../../src/core/routing.js';
import { readFixture } from '../contract/provider-fixtures.js';
import {
  answer,
  bedrockKey,
  encodeStream,
  eventStream,
  json,
  openCloudRig,
  question,
  vertexKey,
} from '../fixtures/cloud-rig.js';
import { ask } from '../fixtures/proxy-client.js';

const atBedrock = { model: 'anthropic.m', provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };
const atVertex = { model: 'm', provider: 'google-vertex', apiKey: vertexKey, region: 'eu', project: 'mine' };
const whole = readFixture('anthropic-messages/answer.json');
const [first = Buffer.alloc(0), ...rest] = encodeStream('answer.sse');
const stream = Buffer.concat([first, ...rest]);

async function openCached(decide: () => RouteDecision) {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-crossed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const options = { cache: { path: join(folder, 'cache.db') }, session: { cache: { mode: 'on' as const } } };
  const rig = await openCloudRig(decide, options);
  answer(rig, (response, request) => {
    if (request.url?.endsWith('/invoke-with-response-stream') === true)
      response.writeHead(200, eventStream).end(stream);
    else response.writeHead(200, json).end(whole);
  });
  return rig;
}

const text = expect.stringContaining('wörld 👋');

describe('a kept reply of Bedrock’s', () => {
  it('is given to a later call of Anthropic’s client in the form it expects', async () => {
    const rig = await openCached(() => atBedrock);
    const client = rig.openClient();
    const streamed = [];
    for (let i = 0; i < 2; i++) streamed.push(await client.messages.stream(question).finalMessage());
    for (let i = 0; i < 2; i++) streamed.push(await client.messages.create(question));
    for (const { content } of streamed) expect(content).toMatchObject([{ type: 'thinking' }, { type: 'text', text }]);
    const records = await rig.waitForRecords(4);
    expect(records.map(({ api, cached, usage }) => [api, cached, usage.outputTokens])).toEqual([
      ['invokeModelWithResponseStream', false, 97],
      ['invokeModelWithResponseStream', true, 97],
      ['invokeModel', false, 97],
      ['invokeModel', true, 97],
    ]);
    expect(records[1]?.changes).toContain("reply: AWS event stream rewritten as Anthropic's event stream");
    expect(rig.upstream.seen).toHaveLength(2);
  });

  it('is given to a call of Bedrock’s own client as Bedrock gave it', async () => {
    const rig = await openCached(() => atBedrock);
    await rig.openClient().messages.stream(question).finalMessage();
    const own = await rig.openSession({ cache: { mode: 'only' } });
    const sent = rig.upstream.seen[0];
    const got = await ask({
      ...{ port: own.port, ca: rig.ca, host: 'bedrock-runtime.us-east-1.amazonaws.com', path: sent?.url ?? '' },
      ...{ headers: { 'content-type': 'application/json' }, body: sent?.body ?? '' },
    });
    expect([got.status, got.headers['content-type']]).toEqual([200, 'application/vnd.amazon.eventstream']);
    expect(got.body.equals(stream)).toBe(true);
  });

  it('is none of the one the same call got elsewhere', async () => {
    let decision: RouteDecision = { model: 'm' };
    const rig = await openCached(() => decision);
    const client = rig.openClient();
    const tries = [
      decision,
      atBedrock,
      { ...atBedrock, region: 'eu-west-1' },
      atVertex,
      { ...atVertex, project: 'other' },
    ];
    for (const next of tries) {
      decision = next;
      await client.messages.create(question);
    }
    expect((await rig.waitForRecords(5)).map(({ cached }) => cached)).toEqual([false, false, false, false, false]);
  });

  it('is shared while it is under way, each caller in its form', async () => {
    const rig = await openCached(() => atBedrock);
    let begun: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const held = { release: (): void => undefined };
    answer(rig, (response) => {
      response.writeHead(200, eventStream).write(first);
      held.release = () => void response.end(Buffer.concat(rest));
      begun();
    });
    const client = rig.openClient();
    const leader = client.messages.stream(question);
    await isAsked;
    const follower = client.messages.stream(question);
    await new Promise<void>((resolve) => follower.once('streamEvent', () => resolve()));
    held.release();
    for (const message of [await leader.finalMessage(), await follower.finalMessage()]) {
      expect(message.content).toMatchObject([{ type: 'thinking' }, { type: 'text', text }]);
    }
    expect(rig.upstream.seen).toHaveLength(1);
  });

  it('is refused in Anthropic’s words where there is none and the cache alone is asked', async () => {
    const rig = await openCached(() => atBedrock);
    const only = await rig.openSession({ routed: true, cache: { mode: 'only' } });
    const error: unknown = await rig
      .openClient(only)
      .messages.create(question)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 412, error: { type: 'error', error: { type: 'invalid_request_error' } } });
    expect((await rig.waitForRecords(1))[0]?.changes.join()).not.toContain("Anthropic's words");
  });
});

it('a kept reply of Vertex AI’s answers a stream, too, which is Anthropic’s as it is', async () => {
  const rig = await openCached(() => atVertex);
  const client = rig.openClient();
  await client.messages.create(question);
  const { content } = await client.messages.stream(question).finalMessage();
  expect(content).toMatchObject([{ type: 'thinking' }, { type: 'text', text }]);
  expect((await rig.waitForRecords(2)).map(({ cached }) => cached)).toEqual([false, true]);
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { expect, it, onTestFinished } from 'vitest';
import { answer, bedrockKey, encodeStream, eventStream, json, openCloudRig, question } from '../fixtures/cloud-rig.js';

const bedrock = { model: 'anthropic.m', provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };

it('a call that was routed to Bedrock is played to Anthropic’s client as it was, errors included', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-crossed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'one.jsonl');
  const rig = await openCloudRig(() => ({ ...bedrock }));
  const replies = [
    () => ({ status: 429, headers: json, body: Buffer.from('{"message":"Too many requests."}') }),
    () => ({ status: 200, headers: eventStream, body: Buffer.concat(encodeStream('tools.sse')) }),
  ];
  answer(rig, (response) => {
    const { status, headers, body } = (replies[Math.min(rig.upstream.seen.length, 2) - 1] ?? replies[0])?.() ?? {};
    response.writeHead(status ?? 500, headers).end(body);
  });
  const run = async (mode: 'record' | 'replay') => {
    const session = await rig.openSession({ routed: true, cassette: { mode, path } });
    const client = rig.openClient(session);
    const error: unknown = await client.messages
      .stream(question)
      .finalMessage()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    const { content } = await client.messages.stream(question).finalMessage();
    await session.close({ drain: true });
    // The id of a request is that of one exchange, and in no recording.
    return [(error as InstanceType<typeof Anthropic.RateLimitError>).type, content];
  };
  const recorded = await run('record');
  expect(await run('replay')).toEqual(recorded);
  expect(rig.upstream.seen).toHaveLength(2);
  expect(readFileSync(path, 'utf8')).not.toContain('canary');
  expect((await rig.waitForRecords(4)).map(({ provider, status, cached }) => [provider, status, cached])).toEqual([
    ['aws-bedrock', 429, false],
    ['aws-bedrock', 200, false],
    ['aws-bedrock', 429, true],
    ['aws-bedrock', 200, true],
  ]);
});

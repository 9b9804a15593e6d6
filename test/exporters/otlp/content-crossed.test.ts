import { expect, it } from 'vitest';
import type { RouteDecision } from '../../../src/core/routing.js';
import { readContent } from '../../../src/exporters/otlp/content/read-content.js';
import { readFixture } from '../../contract/provider-fixtures.js';
import {
  answer,
  bedrockKey,
  encodeStream,
  eventStream,
  json,
  openCloudRig,
  question,
  vertexKey,
} from '../../fixtures/cloud-rig.js';

const whole = readFixture('anthropic-messages/answer.json');
const bedrock = { model: 'anthropic.m', provider: 'aws-bedrock', apiKey: bedrockKey, region: 'us-east-1' };
const vertex = { model: 'm', provider: 'google-vertex', apiKey: vertexKey, region: 'eu', project: 'mine' };

it.each<readonly [string, RouteDecision]>([
  ['Bedrock', bedrock],
  ['Vertex AI', vertex],
])(
  'what was said to Anthropic’s client is told the same where a router sent it to %s, streamed or not',
  async (name, to) => {
    const rig = await openCloudRig(() => to);
    answer(rig, (response, request) => {
      const isStream = /stream/i.test(request.url ?? '');
      if (!isStream) response.writeHead(200, json).end(whole);
      else if (name === 'Bedrock') {
        response.writeHead(200, eventStream).end(Buffer.concat(encodeStream('answer.sse')));
      } else {
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(readFixture('anthropic-messages/answer.sse'));
      }
    });
    const client = rig.openClient();
    await client.messages.create(question);
    await client.messages.stream(question).finalMessage();
    const [first, second] = (await rig.waitForRecords(2)).map((record) => readContent(record));
    expect(first).toMatchObject({
      input: [{ role: 'user', parts: [{ type: 'text' }] }],
      output: [{ role: 'assistant', parts: [{ type: 'reasoning' }, { type: 'text' }], finish_reason: 'stop' }],
    });
    expect(second).toEqual(first);
  },
);

import { afterEach, expect, it } from 'vitest';
import { type Collector, openCollector } from '../../fixtures/collector.js';
import { ask } from '../../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../../fixtures/replies.js';
import { openRig, type Rig } from '../../fixtures/rig.js';

let rig: Rig | null = null;
let collector: Collector;
afterEach(async () => {
  await rig?.close();
  rig = null;
  await collector.close();
});

it('tokens of a reply from the cache are told apart from those a provider was asked for', async () => {
  collector = await openCollector();
  rig = await openRig({
    exporters: [{ kind: 'otlp', url: collector.url }],
    cache: { path: null },
    session: { cache: { mode: 'on' } },
  });
  const one = rig;
  one.upstream.handler = (request, response) =>
    void request
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply))
      .resume();
  for (const count of [1, 2, 3]) {
    await ask({ port: one.session.port, ca: one.ca, body: chatRequest });
    await one.waitForRecords(count);
  }
  await one.host.close();
  expect(one.records.map(({ cached }) => cached)).toEqual([false, true, true]);
  const points = (name: string) =>
    (collector.metrics().get(name)?.points ?? []).map(({ value, attributes }) => [attributes['llmtap.cached'], value]);
  expect(points('gen_ai.client.inference.usage.input_tokens')).toEqual([
    [undefined, 10],
    [true, 20],
  ]);
  expect(points('llmtap.cost')).toEqual([
    [undefined, 0.00007],
    [true, 0],
  ]);
});

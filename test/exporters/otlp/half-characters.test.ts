import { afterEach, expect, it } from 'vitest';
import { type Collector, openCollector } from '../../fixtures/collector.js';
import { ask } from '../../fixtures/proxy-client.js';
import { chatReply } from '../../fixtures/replies.js';
import { openRig, type Rig } from '../../fixtures/rig.js';

const half = 'half\ud83c';
const context = { kind: 'user', key: 'user-1' };

let rig: Rig | null = null;
let collector: Collector;
afterEach(async () => {
  await rig?.close();
  rig = null;
  await collector.close();
});

/** Every text of a message of protobuf is UTF-8, or decoders refuse it, and the batch it came in. */
it('half a character in a model’s name, an event’s or a session’s ids reaches a collector as UTF-8', async () => {
  collector = await openCollector();
  rig = await openRig({
    exporters: [{ kind: 'otlp', url: collector.url, profile: 'both', content: true }],
    session: { runId: 'run-1', configKey: half, agentId: half },
  });
  const one = rig;
  one.upstream.handler = (request, response) =>
    void request
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply))
      .resume();
  const body = JSON.stringify({
    model: half,
    stop: half,
    messages: [{ role: half, name: half, content: half, [half]: half }],
    tools: [{ type: half, [half]: half, name: half }],
  });
  await ask({ port: one.session.port, ca: one.ca, body });
  await one.waitForRecords(1);
  one.host.sink.track(half, context, { runId: 'run-1', [half]: half }, 1);
  one.host.noteFault({ code: 'TLS_REFUSED', message: half, hint: half, sessionId: null });
  await one.host.close();
  expect(collector.spans.map(({ name }) => name)).toContain('chat half\ufffd');
  expect(collector.logs.map(({ eventName }) => eventName)).toContain('half\ufffd');
  // NOTE: the decoder takes what is no UTF-8 for U+FFFD as well; that it is told once for three bytes shows that it came so.
  const told = JSON.stringify([collector.spans, collector.logs, [...collector.metrics()]]);
  expect(told).toContain('half\ufffd');
  expect(told).not.toContain('\ufffd\ufffd');
});

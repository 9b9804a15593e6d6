// Failures of the field's tools with memory; the numbers are those of test/regressions/README.md.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { askHttp2 } from '../fixtures/http2-client.js';
import { openHttp2Rig } from '../fixtures/http2-rig.js';
import { ask, makeTunnelAgent } from '../fixtures/proxy-client.js';
import { chatFrames, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let close: () => Promise<void> = () => Promise.resolve();
afterEach(async () => await close());

/** Bytes in use once what nobody holds is gone, and the test's own notes with it. */
function measure(rig: Rig, seen: unknown[]): number {
  rig.records.length = 0;
  seen.length = 0;
  collect();
  return process.memoryUsage().heapUsed;
}

/** How much the heap grows by `count` calls, after as many that fill what is kept for good. */
async function measureGrowth(rig: Rig, seen: unknown[], ask: () => Promise<unknown>, count: number): Promise<number> {
  const askAll = async (): Promise<void> => {
    for (let at = 0; at < count; at += 20) await Promise.all(Array.from({ length: 20 }, ask));
  };
  await askAll();
  const before = measure(rig, seen);
  await askAll();
  return measure(rig, seen) - before;
}

const count = 300;
/** Of a call that is kept, with a reply of 100 KB. */
const keptBytes = 100 * 1024;
const filler = `: ${'z'.repeat(keptBytes)}\n\n`;

// mitmproxy#4456, #4786, #8246: streams of HTTP/2 stayed until their client disconnected, to 28 GB in two days.
it('failure 10: streams of HTTP/2 are let go of as they end, while their connection lives', async () => {
  const { client, rig, provider, ...opened } = await openHttp2Rig();
  close = opened.close;
  provider.handler = (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ id: 'c', choices: [], filler }));
  };
  const grown = await measureGrowth(rig, provider.seen, () => askHttp2(client, {}, chatRequest), count);
  expect(provider.connections).toBe(1);
  expect(grown).toBeLessThan((count * keptBytes) / 10);
}, 60_000);

// BerriAI/litellm#12685, #38193, #6404, #8620: leaks tied to streaming and to what is logged of it.
it('failure 11: streams that are read, changed and recorded are let go of as they end', async () => {
  const rig = await openRig();
  const agent = makeTunnelAgent(rig.session.port, rig.ca);
  close = async () => {
    agent.destroy();
    await rig.close();
  };
  rig.upstream.handler = (request, response) => {
    request.on('end', () => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text)).resume();
  };
  const text = [chatFrames[0], filler, ...chatFrames.slice(1)].join('');
  const askOne = (): Promise<unknown> => ask({ port: 0, ca: rig.ca, agent, body: chatStreamRequest });
  expect(await measureGrowth(rig, rig.upstream.seen, askOne, count)).toBeLessThan((count * keptBytes) / 10);
}, 60_000);

// 100,000 events of a run through every sink at once, and what one costs its caller. In a process of its own: run.js asks.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigTracker, LLMTracker, openLedgerReader } from '../../dist/index.js';

const home = mkdtempSync(join(tmpdir(), 'llmtap-bench-events-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
const context = { kind: 'user', key: 'user-1', name: 'Some One', plan: 'pro' };

/** A collector that counts the log records it is sent, by the name that each of them holds. */
async function openCounter() {
  let events = 0;
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/logs')
        events += Buffer.concat(chunks).toString('latin1').split('llmtap.event.id').length - 1;
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, count: () => events, close: () => server.close() };
}

async function findPort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function readPrometheus(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^llmtap_run_events_total\{event="\$ld:ai:tool_call"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** Events timed together: as many as cross to the tap's thread at once. */
const share = 256;
/** Events tracked without a pause; then those are waited for. */
const burst = 20_480;

/** @param isUp whether the collector is there */
async function throughSinks({ count, isUp }) {
  const counter = await openCounter();
  if (!isUp) counter.close();
  const folder = mkdtempSync(join(home, 'run-'));
  const [path, port] = [join(folder, 'events.jsonl'), await findPort()];
  const exporters = [
    { kind: 'jsonl', path },
    { kind: 'otlp', url: counter.url },
    { kind: 'prometheus', port },
  ];
  let live = 0;
  let dropped = 0;
  const sinks = [
    {
      track: () => {
        live += 1;
      },
    },
  ];
  const tracker = await new LLMTracker({ home: folder, exporters, sinks, env: process.env }).start();
  tracker.onEvent((event) => {
    if (event.type !== 'fault.occurred' || !event.fault.code.endsWith('_DROPPED')) return;
    dropped += Number(/^\d+/.exec(event.fault.message)?.[0] ?? 0);
  });
  const own = new ConfigTracker({ sink: tracker.sink, context, configKey: 'bench', modelName: 'm', providerName: 'p' });
  const shareUs = [];
  let grownFrom = 0;
  for (let sent = 0; sent < count; ) {
    for (const end = Math.min(count, sent + burst); sent < end; sent += share) {
      const shareBegin = performance.now();
      for (let i = 0; i < share; i++) own.trackToolCall(`tool-${i % 7}`);
      shareUs.push(((performance.now() - shareBegin) / share) * 1000);
    }
    while (live < sent) await once(process, 'tick');
    global.gc?.();
    grownFrom ||= process.memoryUsage.rss();
  }
  // The median of many short times: what else runs on the machine is in few of them.
  const callerUs = shareUs.toSorted((a, b) => a - b)[shareUs.length >> 1];
  const tracked = shareUs.length * share;
  const prometheus = await readPrometheus(port);
  const grownMb = (process.memoryUsage.rss() - grownFrom) / 2 ** 20;
  await tracker.close();
  if (isUp) counter.close();
  const ledger = await openLedgerReader({ home: folder });
  let kept = 0;
  for (const _ of ledger.listEvents({})) kept += 1;
  ledger.close();
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"run.tracked"')).length;
  return { tracked, callerUs, grownMb, ledger: kept, jsonl: lines, otlp: counter.count(), prometheus, live, dropped };
}

// Waiting for what other threads say: a turn of the loop each time.
setInterval(() => process.emit('tick'), 5);

const questions = {
  up: () => throughSinks({ count: 100_000, isUp: true }),
  down: () => throughSinks({ count: 100_000, isUp: false }),
};
process.on('message', async ({ id, question }) => {
  process.send?.({ id, answer: await questions[question]() });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
if (process.send === undefined) {
  console.log(await questions.up(), await questions.down());
  process.exit(0);
}

// `npm run bench`: the tap beside a direct connection and beside mockttp (and mitmdump when it is on the PATH), in
// turns within one run, so that a slow minute of the machine is everybody's. Prints a table, then JSON.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureCache } from './cache.js';
import { openChild } from './children.js';
import { askAtOnce, askInSequence, openDirect, openProxied, quantile, readFlood, readStream } from './measure.js';
import { measureReadings } from './readings.js';
import { measureRouting } from './routing.js';
import { measureSockets } from './sockets.js';
import { measureStreams } from './streams.js';

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 8;
const callsARound = quick ? 100 : 300;
const say = (text) => process.stderr.write(`${text}\n`);
const median = (values) => quantile(values, 0.5);

const upstream = await openChild('./upstream.js');
const tap = await openChild('./tap.js', [upstream.port, upstream.caPath]);
const mockttp = await openChild('./mockttp.js', [upstream.port]);
const mitmdump = await openMitmdump(upstream);

const ways = {
  direct: { dispatcher: openDirect(upstream) },
  llmtap: { dispatcher: openProxied(tap), child: tap },
  mockttp: { dispatcher: openProxied(mockttp), child: mockttp },
  ...(mitmdump === null ? {} : { mitmproxy: { dispatcher: openProxied(mitmdump), child: mitmdump } }),
};
const results = {};

say('warming up …');
for (const { dispatcher } of Object.values(ways)) await askAtOnce(dispatcher, quick ? 500 : 3000, 4);

say('JSON calls, one at a time …');
await inTurns(rounds, async (name, way) => {
  note(name, 'json', await askInSequence(way.dispatcher, callsARound));
});

say('JSON calls, 16 at a time …');
await inTurns(quick ? 2 : 4, async (name, way) => {
  const calls = quick ? 500 : 1500;
  const before = await way.child?.ask('cpu');
  const tookMs = await askAtOnce(way.dispatcher, calls, 16);
  const after = await way.child?.ask('cpu');
  note(name, 'callsPerSecond', [(calls / tookMs) * 1000]);
  if (after !== undefined)
    note(name, 'cpuMs', [(after.user + after.system - before.user - before.system) / 1000 / calls]);
});

say('streams, a chunk every 2 ms …');
await inTurns(quick ? 2 : 6, async (name, way) => {
  for (let i = 0; i < 5; i++) {
    const { first, gaps, chunks } = await readStream(way.dispatcher, { chunks: 100, everyMs: 2 });
    if (chunks !== 100) throw new Error(`${name}: ${chunks} of 100 chunks came`);
    note(name, 'first', [first]);
    note(name, 'gaps', gaps);
  }
});

say('routers and budgets …');
const routing = await measureRouting(tap, { calls: callsARound, rounds: quick ? 3 : 8 });

say('sessions …');
const { times: sessionTimes } = await tap.ask('sessions');
const { bytes: sessionBytes } = await tap.ask('manySessions');

say('100 calls at a time, HTTP/2 and HTTP/1.1 …');
const bothUpstream = await openChild('./http2-upstream.js');
const bothTap = await openChild('./tap.js', [bothUpstream.port, bothUpstream.caPath]);
const streamRounds = { calls: quick ? 1000 : 3000, rounds: quick ? 3 : 8 };
const streams = await measureStreams(bothTap, { ...streamRounds, provider: bothUpstream });
const bareRelay = await openChild('./bare-relay.js', [bothUpstream.port, bothUpstream.caPath]);
const bareStreams = await measureStreams(bareRelay, streamRounds);
for (const child of [bareRelay, bothTap, bothUpstream]) await child.close();

say('a stream of 1 GB …');
await readFlood(ways.llmtap.dispatcher, 64 * 1024 * 1024);
const { rss } = await tap.ask('watchMemory');
const floodBegin = performance.now();
const floodBytes = await readFlood(ways.llmtap.dispatcher, 1024 ** 3);
const floodSeconds = (performance.now() - floodBegin) / 1000;
const { peak } = await tap.ask('memoryPeak');

say('messages of 100 bytes over a WebSocket, read and blind …');
const socketRounds = { messages: quick ? 5000 : 60_000, rounds: quick ? 2 : 12 };
const sockets = await measureSockets(tap, { ...socketRounds, compress: false });
const deflated = await measureSockets(tap, { ...socketRounds, compress: true });

say('streams of one event a chunk, read and blind …');
const twoTaps = [];
for (let i = 0; i < 2; i++) {
  const one = await openChild('./tap.js', [upstream.port, upstream.caPath]);
  twoTaps.push({ tap: one, dispatcher: openProxied(one) });
}
const pace = { events: 500, everyMs: 1, lanes: 5, rounds: quick ? 2 : 12 };
const readings = await measureReadings(twoTaps, pace);
say('the same streams in chunks of 100 bytes …');
const cutReadings = await measureReadings(twoTaps, { ...pace, cutBytes: 100 });
for (const one of twoTaps) await one.tap.close();

say('answers from the cache, and a file of a million entries …');
const cached = await measureCache(upstream, { quick });

say('host starts …');
const starts = [];
for (let i = 0; i < (quick ? 2 : 5); i++) {
  const fresh = await openChild('./tap.js', [upstream.port, upstream.caPath]);
  starts.push(await fresh.ask('start'));
  await fresh.close();
}

say('a tracker in code …');
const program = await openChild('./tracker.js', [upstream.port, upstream.caPath]);
const inProcess = await program.ask('calls');
const children = await program.ask('children');
const scopeTimes = await program.ask('scopes');
const { before: settled, after: grown } = await program.ask('manyScopes');
await program.close();
const imports = [];
for (let i = 0; i < 10; i++) {
  const fresh = await openChild('./import.js');
  imports.push(fresh.importMs);
  await fresh.close();
}

say('trackers and graphs …');
const trackers = await openChild('./trackers.js');
const events = await trackers.ask('events');
const graphTimes = [];
for (let i = 0; i < 5; i++) graphTimes.push(await trackers.ask('graphs'));
const agents = [];
for (let i = 0; i < 5; i++) agents.push(await trackers.ask('agents'));
await trackers.close();

say('events of runs …');
const runEvents = await openChild('./run-events.js');
const [up, down] = [await runEvents.ask('up'), await runEvents.ask('down')];
await runEvents.close();
const lost = (told) => ['ledger', 'jsonl', 'otlp', 'prometheus', 'live'].map((sink) => told.tracked - told[sink]);

const of = (name, what) => results[name]?.[what] ?? [];
const added = (name, what, q) => quantile(of(name, what), q) - quantile(of('direct', what), q);
const figures = [
  [
    'JSON call, one at a time: added p50',
    `${added('llmtap', 'json', 0.5).toFixed(2)} ms`,
    '<= 0.8 ms',
    added('llmtap', 'json', 0.5) <= 0.8,
  ],
  [
    'CPU of the tap per call, 16 at a time',
    `${median(of('llmtap', 'cpuMs')).toFixed(2)} ms`,
    '<= 0.5 ms',
    median(of('llmtap', 'cpuMs')) <= 0.5,
  ],
  [
    "the same, of mockttp's",
    ratio(median(of('llmtap', 'cpuMs')), median(of('mockttp', 'cpuMs'))),
    '<= 0.33',
    median(of('llmtap', 'cpuMs')) / median(of('mockttp', 'cpuMs')) <= 1 / 3,
  ],
  [
    'stream: added to its first byte, p50',
    `${added('llmtap', 'first', 0.5).toFixed(2)} ms`,
    '<= 1 ms',
    added('llmtap', 'first', 0.5) <= 1,
  ],
  [
    'stream: added to the gaps, p99',
    `${added('llmtap', 'gaps', 0.99).toFixed(2)} ms`,
    '<= 2 ms',
    added('llmtap', 'gaps', 0.99) <= 2,
  ],
  formatAdded('routed by a random router: added, p25', routing.random),
  formatAdded('routed by the length of the request: added, p25', routing.byLength),
  formatAdded('with a budget: added, p25', routing.budget),
  ['session open, p50', `${median(sessionTimes).toFixed(2)} ms`, '<= 3 ms', median(sessionTimes) <= 3],
  ['1,000 open sessions', `+${(sessionBytes / 2 ** 20).toFixed(0)} MB`, '<= 100 MB', sessionBytes <= 100 * 2 ** 20],
  [
    `a ${(floodBytes / 2 ** 30).toFixed(1)} GB stream (${floodSeconds.toFixed(0)} s): growth`,
    `+${((peak - rss) / 2 ** 20).toFixed(0)} MB`,
    '< 30 MB',
    peak - rss < 30 * 2 ** 20,
  ],
  [
    'h2: 100 concurrent streams on one connection vs h1 over 100 sockets, throughput ratio',
    `${ratio(median(streams.h2), median(streams.h1))} (${median(streams.h2).toFixed(0)} of ${median(streams.h1).toFixed(0)} calls/s)`,
    '>= 1',
    median(streams.h2) >= median(streams.h1),
  ],
  [
    'the same without the tap: what client and provider differ by themselves',
    `${ratio(median(streams.directH2), median(streams.directH1))} (${median(streams.directH2).toFixed(0)} of ${median(streams.directH1).toFixed(0)} calls/s)`,
    '',
    true,
  ],
  [
    "the same through a relay that reads and records nothing, of Node's own HTTP/2, and HTTP/1.1 with undici",
    `${ratio(median(bareStreams.h2), median(bareStreams.h1))} (CPU per call ${median(bareStreams.h2CpuMs).toFixed(3)}, ${median(bareStreams.h1CpuMs).toFixed(3)} ms)`,
    '',
    true,
  ],
  [
    'through the tap: CPU of the tap per call, h2 and h1',
    `${median(streams.h2CpuMs).toFixed(2)}, ${median(streams.h1CpuMs).toFixed(2)} ms`,
    '',
    true,
  ],
  ...Object.entries(readings).map(([name, costs]) =>
    formatPaired(`${name}, an event a chunk: CPU of reading, of passing on unread`, costs, '<= 1.15'),
  ),
  ...Object.entries(cutReadings).map(([name, costs]) =>
    formatPaired(`${name}, in chunks of 100 bytes: CPU of reading, of passing on unread`, costs, '<= 1.15'),
  ),
  formatReading('WebSocket, 100-byte messages: CPU of reading them, of blind relay', sockets, '<= 1.15'),
  formatReading('the same, compressed', deflated, ''),
  [
    'host start to its first open session, imports included, p50',
    `${median(starts.map((s) => s.importMs + s.openMs)).toFixed(0)} ms`,
    '<= 250 ms',
    median(starts.map((s) => s.importMs + s.openMs)) <= 250,
  ],
  [
    'in process, JSON call in a scope: added p50',
    `${(median(inProcess.tracked) - median(inProcess.direct)).toFixed(2)} ms`,
    '<= 1 ms',
    median(inProcess.tracked) - median(inProcess.direct) <= 1,
  ],
  [
    'child of a scope, from start to end with one call: added p50',
    `${(median(children.tracked) - median(children.direct)).toFixed(0)} ms`,
    '',
    true,
  ],
  ['scope opened and closed, p50', `${median(scopeTimes).toFixed(2)} ms`, '<= 3 ms', median(scopeTimes) <= 3],
  [
    '10,000 scopes: heap, open files, handles',
    `${((grown.heapUsed - settled.heapUsed) / 2 ** 20).toFixed(1)} MB, ${grown.files - settled.files}, ${grown.handles - settled.handles}`,
    'no growth',
    grown.heapUsed - settled.heapUsed < 2 * 2 ** 20 && grown.files <= settled.files && grown.handles <= settled.handles,
  ],
  [
    'tracked event: sent, refused as recorded already',
    `${events.sent.toFixed(2)}, ${events.refused.toFixed(2)} us`,
    '<= 5 us',
    events.sent <= 5 && events.refused <= 5,
  ],
  [
    'tracked event of a tracker, the ledger on: to its caller, p50',
    `${up.callerUs.toFixed(1)} us`,
    '<= 5 us',
    up.callerUs <= 5,
  ],
  [
    '100,000 events: lost to ledger, file, collector, Prometheus, sink in the program',
    lost(up).join(', '),
    'none',
    lost(up).every((count) => count === 0),
  ],
  [
    'the same while the collector is down: growth of memory after the first fifth; lost but to it',
    `${down.grownMb.toFixed(0)} MB, ${lost({ ...down, otlp: down.tracked }).reduce((sum, count) => sum + count)}`,
    '<= 30 MB, none',
    down.grownMb <= 30 && lost({ ...down, otlp: down.tracked }).every((count) => count === 0),
  ],
  [
    'graph of 10,000 nodes loaded and walked, the slowest of four shapes, p50',
    `${median(graphTimes).toFixed(0)} ms`,
    '<= 100 ms',
    median(graphTimes) <= 100,
  ],
  [
    'graph of 10,000 agents: their configs read and rendered, a run through all of them, p50',
    `${median(agents.map(({ loadMs }) => loadMs)).toFixed(0)}, ${median(agents.map(({ runMs }) => runMs)).toFixed(0)} ms`,
    '',
    true,
  ],
  ...cached,
  ['import of the package, p50', `${median(imports).toFixed(0)} ms`, '<= 50 ms', median(imports) <= 50],
];

printTable(
  ['figure', 'measured', 'asked', ''],
  figures.map(([what, value, asked, met]) => [what, value, asked, met ? 'met' : 'MISSED']),
);
console.log();
printTable(
  ['way', 'JSON p50', 'p99', 'calls/s (16)', 'CPU/call', 'stream first p50', 'gap p99'],
  Object.keys(ways).map((name) => [
    name,
    `${median(of(name, 'json')).toFixed(2)} ms`,
    `${quantile(of(name, 'json'), 0.99).toFixed(2)} ms`,
    median(of(name, 'callsPerSecond')).toFixed(0),
    of(name, 'cpuMs').length === 0 ? '–' : `${median(of(name, 'cpuMs')).toFixed(2)} ms`,
    `${median(of(name, 'first')).toFixed(2)} ms`,
    `${quantile(of(name, 'gaps'), 0.99).toFixed(2)} ms`,
  ]),
);
console.log();
console.log(
  JSON.stringify({
    node: process.version,
    cpus: cpus().length,
    figures: figures.map(([what, value, asked, met]) => ({ what, value, asked, met })),
    starts,
  }),
);

for (const { dispatcher } of Object.values(ways)) await dispatcher.close();
for (const child of [tap, mockttp, upstream]) await child.close();
mitmdump?.close();

/** Every way once, in an order that turns, as often as asked. */
async function inTurns(times, measure) {
  const names = Object.keys(ways);
  for (let i = 0; i < times; i++) {
    for (let k = 0; k < names.length; k++) {
      const name = names[(i + k) % names.length];
      await measure(name, ways[name]);
    }
  }
}

function note(name, what, values) {
  results[name] ??= {};
  results[name][what] ??= [];
  results[name][what].push(...values);
}

function formatAdded(what, ms) {
  return [what, `${ms.toFixed(3)} ms`, '<= 0.1 ms', ms <= 0.1];
}

function formatReading(what, { read, blind }, asked) {
  const value = `${ratio(median(read), median(blind))} (${median(read).toFixed(1)} us of ${median(blind).toFixed(1)})`;
  return [what, value, asked, asked === '' || median(read) / median(blind) <= 1.15];
}

/** Of rounds in which both were measured at the same time. */
function formatPaired(what, { read, blind }, asked) {
  const ratios = read.map((cost, i) => cost / blind[i]);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q));
  const spread = `quartiles ${low.toFixed(2)}, ${high.toFixed(2)}`;
  const value = `${middle.toFixed(2)} (${spread}; ${median(read).toFixed(1)} us of ${median(blind).toFixed(1)})`;
  return [what, value, asked, middle <= 1.15];
}

function ratio(a, b) {
  return (a / b).toFixed(2);
}

function printTable(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  console.log(line(head));
  console.log(widths.map((width) => '-'.repeat(width)).join('  '));
  for (const row of rows) console.log(line(row));
}

/** mitmproxy as a recording proxy, when it is installed; `null` otherwise. */
async function openMitmdump({ port }) {
  try {
    execFileSync('mitmdump', ['--version'], { stdio: 'ignore' });
  } catch {
    say('mitmdump is not on the PATH: left out');
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-bench-mitm-'));
  const child = spawn(
    'mitmdump',
    [
      '--listen-host',
      '127.0.0.1',
      '--listen-port',
      '0',
      '--ssl-insecure',
      '--set',
      'connection_strategy=lazy',
      '--set',
      `confdir=${folder}`,
      '--map-remote',
      `|https://api.openai.com|https://127.0.0.1:${port}`,
      '-w',
      join(folder, 'flows'),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, PYTHONUNBUFFERED: '1' } },
  );
  process.on('exit', () => child.kill());
  const listening = await new Promise((resolve) => {
    let text = '';
    setTimeout(resolve, 20_000, null).unref();
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const match = /listening at \S*?:(\d+)/.exec(text);
      if (match) resolve(Number(match[1]));
    });
  });
  if (listening === null) {
    say('mitmdump did not say where it listens: left out');
    child.kill();
    return null;
  }
  const caFile = join(folder, 'mitmproxy-ca-cert.pem');
  const readCpu = () => {
    const [user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .split(') ')[1]
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return { user: user * 10_000, system: system * 10_000 };
  };
  return {
    port: listening,
    ca: existsSync(caFile) ? readFileSync(caFile, 'utf8') : '',
    ask: () => readCpu(),
    close: () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// The cache: answers one at a time and 32 at a time, equal calls at once, and a file of a million entries. Part of
// `npm run bench`; by itself: node test/bench/cache.js [--quick]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ProxyAgent } from 'undici';
import { openCacheStore } from '../../dist/storage/cache-store.js';
import { openChild } from './children.js';
import { askAtOnce, askInSequence, openProxied, quantile, readStream } from './measure.js';

const median = (values) => quantile(values, 0.5);

/** Rows of the bench's table: what, measured, asked, whether it is met. */
export async function measureCache(upstream, { quick }) {
  const tap = await openChild('./tap.js', [upstream.port, upstream.caPath, 'cache']);
  const dispatcher = openProxied(tap);
  await askAtOnce(dispatcher, quick ? 300 : 3000, 4);
  const hits = await askInSequence(dispatcher, quick ? 500 : 3000);
  const rates = [];
  for (let i = 0; i < (quick ? 2 : 6); i++) {
    const calls = quick ? 1000 : 4000;
    rates.push((calls / (await askAtOnce(dispatcher, calls, 32))) * 1000);
  }
  await dispatcher.close();
  const asked = await askEqual(upstream, tap, quick ? 200 : 1000);
  await tap.close();
  const files = await measureFiles(quick ? 20_000 : 1_000_000);
  return [
    ['cache: answer from it, one at a time, p50', `${median(hits).toFixed(2)} ms`, '<= 1 ms', median(hits) <= 1],
    ['the same, 32 at a time', `${median(rates).toFixed(0)} a second`, '>= 3,000', median(rates) >= 3000],
    [`${asked.calls} equal calls at once: asked of the provider`, `${asked.upstream}`, '1', asked.upstream === 1],
    [
      `cache of ${files.entries.toLocaleString('en-US')} entries: opened, p50`,
      `${files.openMs.toFixed(1)} ms`,
      '<= 100 ms',
      files.openMs <= 100,
    ],
    [
      'the same: an entry looked up, p50, and in one of a hundred',
      `${files.largeUs.toFixed(0)}, ${files.smallUs.toFixed(0)} us`,
      'as fast',
      files.largeUs <= 2 * files.smallUs,
    ],
  ];
}

/** A stream of a second, asked for by all at once, each on a connection of its own. */
async function askEqual(upstream, tap, calls) {
  const { port, ca } = tap;
  const dispatcher = new ProxyAgent({ uri: `http://127.0.0.1:${port}`, connections: calls, requestTls: { ca } });
  const before = await upstream.ask('served');
  const streams = await Promise.all(
    Array.from({ length: calls }, () => readStream(dispatcher, { chunks: 50, everyMs: 20 })),
  );
  if (streams.some(({ chunks }) => chunks !== 50)) throw new Error('a stream came without its beginning or end');
  await dispatcher.close();
  return { calls, upstream: (await upstream.ask('served')) - before };
}

const makeKey = (n) => n.toString(16).padStart(64, '0');

function makeEntry(n) {
  const body = Buffer.from(`{"said":${n}}`);
  return {
    ...{
      key: makeKey(n),
      variant: 'json',
      provider: 'openai',
      api: 'chat.completions',
      model: 'gpt-4o',
      isBound: false,
    },
    ...{ url: 'https://api.openai.com/v1/chat/completions', parts: {}, status: 200, callId: `call-${n}`, latencyMs: 1 },
    ...{ rawHeaders: ['Content-Type', 'application/json'], pieces: [[body.length, 0]], body },
    ...{ storedAtMs: 1000 + n, expiresAtMs: null },
  };
}

/** Opening a file of so many entries, and looking into it, beside one of a hundred. */
async function measureFiles(entries) {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-bench-cache-'));
  try {
    const options = { maxEntries: 2 * entries, maxBytes: 4 * 1024 ** 3, onFault: (fault) => console.error(fault) };
    const fill = (name, count) => {
      const store = openCacheStore({ path: join(folder, name), ...options });
      for (let n = 0; n < count; n++) {
        store.put(makeEntry(n));
        if (n % 5000 === 4999) store.flush();
      }
      store.close();
    };
    fill('large.db', entries);
    fill('small.db', 100);
    const openTimes = [];
    const times = { 'large.db': [], 'small.db': [] };
    for (let i = 0; i < 20; i++) {
      for (const [name, count] of [
        ['large.db', entries],
        ['small.db', 100],
      ]) {
        const begin = performance.now();
        const store = openCacheStore({ path: join(folder, name), ...options });
        if (name === 'large.db') openTimes.push(performance.now() - begin);
        for (let k = 0; k < 200; k++) {
          const key = makeKey(Math.floor(Math.random() * count));
          const asked = performance.now();
          if (store.find(key, 'json') === null) throw new Error(`${name} has lost ${key}`);
          times[name].push((performance.now() - asked) * 1000);
        }
        store.close();
      }
    }
    return {
      entries,
      openMs: median(openTimes),
      largeUs: median(times['large.db']),
      smallUs: median(times['small.db']),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const upstream = await openChild('./upstream.js');
  const rows = await measureCache(upstream, { quick: process.argv.includes('--quick') });
  for (const [what, value, asked, isMet] of rows)
    console.log([what, value, asked, isMet ? 'met' : 'MISSED'].join(' | '));
  await upstream.close();
}

// Over 250 lines: the acceptance list of the cache on disk, by its ids.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { makeCachePath, makeEntry, makeKey, openStore } from './cache-entries.js';
import { follow, startChild } from './children.js';

function query(path: string, sql: string): Record<string, unknown>[] {
  const db = new BetterSqlite3(path, { readonly: true });
  try {
    return db.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    db.close();
  }
}

const countRows = (path: string) => Number(query(path, 'SELECT count(*) AS n FROM entries')[0]?.n);

/** Asks again, as whoever looks at the file would, until it is so. */
async function waitUntil(isSo: () => boolean, limitMs = 3000): Promise<void> {
  for (const untilMs = performance.now() + limitMs; !isSo(); await sleep(5)) {
    if (performance.now() > untilMs) throw new Error('it never was so');
  }
}

describe('a store of replies', () => {
  it('C1 has nothing where nothing was put', () => {
    expect(openStore().store.find(makeKey('a'), 'json')).toBeNull();
  });

  it('C2 gives back the bytes that were put', () => {
    const { store } = openStore();
    store.put(makeEntry('a'));
    expect(store.find(makeKey('a'), 'json')).toEqual(makeEntry('a'));
  });

  it('C3 has nothing after it was cleared, neither what was written nor what was to be', () => {
    const { store } = openStore();
    store.put(makeEntry('a'));
    store.flush();
    store.put(makeEntry('b'));
    expect(store.clear()).toBe(1);
    expect([store.find(makeKey('a'), 'json'), store.find(makeKey('b'), 'json')]).toEqual([null, null]);
  });

  it('C7 keeps the forms of one reply apart', () => {
    const { store } = openStore();
    store.put(makeEntry('a'));
    store.put(makeEntry('a', { variant: 'stream', body: Buffer.from('data: 1\n\n') }));
    for (const flush of [false, true]) {
      if (flush) store.flush();
      expect(store.find(makeKey('a'), 'stream')?.body.toString()).toBe('data: 1\n\n');
      expect(store.find(makeKey('a'), 'json')?.body.toString()).toBe('{"said":"a"}');
    }
  });

  it('C20 keeps 800 entries that were put at the same time', async () => {
    const { store, path } = openStore();
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let i = 0; i < 100; i++) {
          store.put(makeEntry(`${lane} ${i}`));
          if (i % 10 === 0) await sleep(0);
        }
      }),
    );
    store.close();
    expect(countRows(path)).toBe(800);
  });

  it('D1 keeps every field over the end of the process', () => {
    const { store, path } = openStore();
    const entry = makeEntry('a', {
      rawHeaders: ['Content-Type', 'text/event-stream', 'X-A', '1'],
      pieces: [
        [3, 0.5],
        [9, 20],
      ],
      expiresAtMs: Date.now() + 1e9,
      isBound: true,
      model: null,
    });
    store.put(entry);
    store.close();
    expect(openStore({ path }).store.find(entry.key, 'json')).toEqual(entry);
  });

  it('D2 keeps bytes that are no text', () => {
    const { store, path } = openStore();
    const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    store.put(makeEntry('a', { body }));
    store.close();
    expect(openStore({ path }).store.find(makeKey('a'), 'json')?.body).toEqual(body);
  });

  it('D4, D5 writes a second after, not at once, and when it is asked to', () => {
    const { store, path } = openStore();
    store.put(makeEntry('a'));
    expect(countRows(path)).toBe(0);
    expect(store.flush()).toBe(true);
    expect(countRows(path)).toBe(1);
    expect(query(path, 'SELECT latency_ms, body FROM entries JOIN replies ON entry_seq = seq')).toEqual([
      { latency_ms: 123.4, body: Buffer.from('{"said":"a"}') },
    ]);
  });

  it('D6 writes what waits when it is closed, and may be closed twice', () => {
    const { store, path } = openStore();
    store.put(makeEntry('a'));
    store.close();
    store.close();
    expect(countRows(path)).toBe(1);
  });

  it('D7 answers from what an earlier process kept', () => {
    const { store, path } = openStore();
    for (let i = 0; i < 50; i++) store.put(makeEntry(String(i)));
    store.close();
    const again = openStore({ path }).store;
    for (let i = 0; i < 50; i++) expect(again.find(makeKey(String(i)), 'json')).not.toBeNull();
  });

  it('D8 deletes what is written when it is cleared', () => {
    const { store, path } = openStore();
    store.put(makeEntry('a'));
    store.flush();
    store.clear();
    expect([countRows(path), query(path, 'SELECT * FROM replies')]).toEqual([0, []]);
    expect(query(path, "SELECT value FROM facts WHERE name IN ('entries', 'bytes')")).toEqual([
      { value: 0 },
      { value: 0 },
    ]);
  });

  it.each([
    ["UPDATE replies SET body = x'00' WHERE entry_seq = 1"],
    ["UPDATE replies SET headers = '[' WHERE entry_seq = 1"],
    ["UPDATE replies SET pieces = 'x' WHERE entry_seq = 1"],
  ])('D9 puts a damaged row aside, says so, and keeps the others: %s', async (damage) => {
    const { store, path } = openStore();
    store.put(makeEntry('bad'));
    store.put(makeEntry('good'));
    store.close();
    const db = new BetterSqlite3(path);
    db.exec(damage);
    db.close();
    const { store: again, faults } = openStore({ path });
    expect(again.find(makeKey('bad'), 'json')).toBeNull();
    expect(again.find(makeKey('good'), 'json')).not.toBeNull();
    await Promise.resolve();
    expect(faults.map(({ code }) => code)).toEqual(['CACHE_DAMAGED']);
    expect(countRows(path)).toBe(1);
  });

  it('D10 in memory makes no file', () => {
    const before = readdirSync('.');
    const { store, faults } = openStore({ path: null });
    store.put(makeEntry('a'));
    store.flush();
    expect(store.find(makeKey('a'), 'json')).toEqual(makeEntry('a'));
    expect([readdirSync('.'), faults]).toEqual([before, []]);
  });

  it('D11 makes the folders it needs, for its owner alone and out of the way of git', () => {
    const { path } = openStore();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readFileSync(`${dirname(path)}/.gitignore`, 'utf8')).toBe('*\n');
  });

  it('D12 keeps the newest of two under one key', () => {
    const { store, path } = openStore();
    store.put(makeEntry('a'));
    store.flush();
    store.put(makeEntry('a', { body: Buffer.from('newer') }));
    expect(store.find(makeKey('a'), 'json')?.body.toString()).toBe('newer');
    store.close();
    expect(openStore({ path }).store.find(makeKey('a'), 'json')?.body.toString()).toBe('newer');
    expect(countRows(path)).toBe(1);
  });

  it('D13, D25 is not harmed by writing twice', () => {
    const { store, path } = openStore();
    store.put(makeEntry('a'));
    expect([store.flush(), store.flush()]).toEqual([true, true]);
    expect(countRows(path)).toBe(1);
  });

  it('D14 has nothing to write in memory, and says that all is well', () => {
    expect(openStore({ path: null }).store.flush()).toBe(true);
  });

  it('D15 writes by itself within a second', async () => {
    const { store, path } = openStore();
    const begin = performance.now();
    store.put(makeEntry('a'));
    await waitUntil(() => countRows(path) === 1);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  it('D16 writes nothing any more once it is closed', () => {
    const { store, path } = openStore();
    store.close();
    store.put(makeEntry('a'));
    store.noteUse(makeEntry('a'), 1);
    expect([store.find(makeKey('a'), 'json'), countRows(path)]).toEqual([null, 0]);
  });

  it('D24 has as many rows as entries after puts between which it was written', () => {
    const { store, path } = openStore();
    for (let i = 0; i < 300; i++) {
      store.put(makeEntry(String(i)));
      if (i % 7 === 0) store.flush();
    }
    store.flush();
    expect(countRows(path)).toBe(300);
  });
});

describe('the limits of a store', () => {
  it('lets go of what was used longest ago', () => {
    const { store } = openStore({ maxEntries: 10 });
    for (let i = 0; i < 10; i++) store.put(makeEntry(String(i), { storedAtMs: 1000 + i }));
    store.flush();
    store.noteUse(makeEntry('0'), 5000);
    store.flush();
    store.put(makeEntry('new', { storedAtMs: 2000 }));
    store.flush();
    expect(store.find(makeKey('0'), 'json')).not.toBeNull();
    expect(store.find(makeKey('new'), 'json')).not.toBeNull();
    expect(store.find(makeKey('1'), 'json')).toBeNull();
  });

  it('counts bytes, and gives room back', () => {
    const { store, path } = openStore({ maxBytes: 1_000_000 });
    for (let i = 0; i < 100; i++) store.put(makeEntry(String(i), { body: Buffer.alloc(50_000, i), storedAtMs: i }));
    store.flush();
    const [{ value } = {}] = query(path, "SELECT value FROM facts WHERE name = 'bytes'");
    expect(Number(value)).toBeLessThanOrEqual(1_000_000);
    expect(countRows(path)).toBeGreaterThan(10);
    expect(store.find(makeKey('99'), 'json')).not.toBeNull();
  });

  it('takes nothing that is larger than all of it', () => {
    const { store } = openStore({ maxBytes: 1000 });
    store.put(makeEntry('a', { body: Buffer.alloc(5000) }));
    expect(store.find(makeKey('a'), 'json')).toBeNull();
  });

  it('deletes what is too old when something new comes', () => {
    const { store, path } = openStore();
    store.put(makeEntry('old', { expiresAtMs: 1 }));
    store.flush();
    store.put(makeEntry('new'));
    store.flush();
    expect(query(path, 'SELECT call_id FROM entries')).toEqual([{ call_id: 'call-new' }]);
  });

  it('holds nothing of a file in memory: one of 20,000 entries opens as fast as an empty one', () => {
    const { store, path } = openStore();
    for (let i = 0; i < 20_000; i++) store.put(makeEntry(String(i)));
    store.close();
    const begin = performance.now();
    const again = openStore({ path });
    expect(again.store.find(makeKey('19999'), 'json')).not.toBeNull();
    expect(performance.now() - begin).toBeLessThan(100);
  });
});

describe('a file that several processes share', () => {
  it('shows each what the others have written', () => {
    const { store: one, path } = openStore();
    const { store: two } = openStore({ path });
    expect(two.salt).toBe(one.salt);
    one.put(makeEntry('a'));
    one.flush();
    expect(two.find(makeKey('a'), 'json')).toEqual(makeEntry('a'));
    two.put(makeEntry('a', { body: Buffer.from('newer') }));
    two.flush();
    expect(one.find(makeKey('a'), 'json')?.body.toString()).toBe('newer');
    two.clear();
    expect(one.find(makeKey('a'), 'json')).toBeNull();
  });

  it('takes the entries of processes that make it at the same time', async () => {
    const path = makeCachePath();
    const children = ['a', 'b', 'c', 'd'].map((name) => startChild('put-entries.mjs', [path, name, '200']));
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    expect(children.map(({ errors }) => errors())).toEqual(['', '', '', '']);
    expect(countRows(path)).toBe(800);
  });

  it('keeps what was written when a process is killed, and is whole', async () => {
    const path = makeCachePath();
    const child = startChild('put-entries.mjs', [path, 'k', '1000000']);
    await child.printed(3);
    child.process.kill('SIGKILL');
    await child.ended;
    const last = Number(child.lines().at(-1));
    const { store, faults } = openStore({ path });
    expect(last).toBeGreaterThan(0);
    for (const i of [0, Math.floor(last / 2), last]) {
      expect(store.find(makeKey(`k ${i}`), 'json'), String(i)).not.toBeNull();
    }
    expect(faults).toEqual([]);
    expect(query(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  it('waits for one that holds it locked, and is read meanwhile', async () => {
    const { store, path, faults } = openStore();
    store.put(makeEntry('a'));
    store.flush();
    const holder = startChild('hold-lock.mjs', [path]);
    await holder.printed(1);
    store.put(makeEntry('b'));
    expect(store.flush()).toBe(false);
    expect(store.find(makeKey('a'), 'json')).not.toBeNull();
    expect(store.find(makeKey('b'), 'json')).not.toBeNull();
    // Not at the first wait, which may be for a commit; and once.
    await Promise.resolve();
    expect(faults).toEqual([]);
    await waitUntil(() => faults.length > 0);
    expect(faults.map(({ code }) => code)).toEqual(['STORE_LOCKED']);
    holder.process.stdin.end();
    await holder.ended;
    await waitUntil(() => countRows(path) === 2);
  });
});

describe('a file that cannot be used', () => {
  it('is put aside when it is no database, and a new one is begun', async () => {
    const path = makeCachePath();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'hello '.repeat(1000));
    const { store, faults } = openStore({ path });
    store.put(makeEntry('a'));
    store.flush();
    expect(store.find(makeKey('a'), 'json')).not.toBeNull();
    await Promise.resolve();
    expect(faults.map(({ code }) => code)).toEqual(['CACHE_DAMAGED']);
    const aside = readdirSync(dirname(path)).filter((name) => name.includes('.damaged-'));
    expect(aside.map((name) => readFileSync(`${dirname(path)}/${name}`, 'utf8').slice(0, 6))).toEqual(['hello ']);
  });

  it('is put aside once when it breaks under two stores, which both go on with the new one', async () => {
    const { store: one, path, faults } = openStore();
    for (let i = 0; i < 200; i++) one.put(makeEntry(String(i), { body: Buffer.alloc(4000) }));
    one.close();
    const first = openStore({ path });
    const second = openStore({ path });
    // A page in the middle of a tree, not the first.
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xff)]));
    for (const { store } of [first, second]) {
      expect(store.find(makeKey('7'), 'json')).toBeNull();
      store.put(makeEntry('7'));
      expect(store.flush()).toBe(true);
    }
    expect(first.store.find(makeKey('7'), 'json')).not.toBeNull();
    await Promise.resolve();
    expect([...faults, ...first.faults, ...second.faults].map(({ code }) => code)).toEqual(['CACHE_DAMAGED']);
    expect(
      readdirSync(dirname(path)).filter((name) => /\.damaged-[^.]*$/.test(name) && !/-(wal|shm)$/.test(name)),
    ).toHaveLength(1);
  });

  it('is left alone when it is the database of another program, and entries are kept in memory', async () => {
    const path = makeCachePath();
    mkdirSync(dirname(path), { recursive: true });
    const db = new BetterSqlite3(path);
    db.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)');
    db.close();
    const { store, faults } = openStore({ path });
    store.put(makeEntry('a'));
    store.flush();
    expect(store.find(makeKey('a'), 'json')).not.toBeNull();
    await Promise.resolve();
    expect(faults.map(({ code }) => code)).toEqual(['STORE_UNOPENABLE']);
    expect(query(path, 'SELECT * FROM theirs')).toEqual([{ a: 1 }]);
  });

  it.skipIf(process.getuid?.() === 0)(
    'is told, and entries kept in memory, where the folder may not be written',
    async () => {
      const path = makeCachePath();
      mkdirSync(dirname(path), { recursive: true });
      chmodSync(dirname(path), 0o500);
      const { store, faults } = openStore({ path });
      store.put(makeEntry('a'));
      expect(store.find(makeKey('a'), 'json')).not.toBeNull();
      await Promise.resolve();
      expect(faults.map(({ code }) => code)).toEqual(['STORE_UNOPENABLE']);
    },
  );

  it('begins anew where it is empty', () => {
    const { store, path } = openStore();
    store.close();
    truncateSync(path, 0);
    const { store: again } = openStore({ path });
    again.put(makeEntry('a'));
    expect(again.flush()).toBe(true);
  });

  it('costs replies, one fault and nothing else when there is no room', async () => {
    const path = makeCachePath();
    mkdirSync(dirname(path), { recursive: true });
    const script = new URL('children/put-entries.mjs', import.meta.url).pathname;
    // 200 blocks of 1024 bytes for any file this process writes, as a small quota has it.
    const limited = `ulimit -f 200 && exec "${process.execPath}" "${script}" "${path}" full 3000`;
    const child = follow(spawn('bash', ['-c', limited]));
    expect(await child.ended).toBe(0);
    expect(child.lines().at(-1)).toBe('closed');
    expect(child.errors()).toContain('STORE_FULL');
    const { store } = openStore({ path });
    expect(store.find(makeKey('full 0'), 'json')).not.toBeNull();
    expect(query(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });
});

describe('what a store keeps for why', () => {
  it('is bounded', () => {
    const { store, path } = openStore();
    const lookup = {
      atMs: 1,
      key: 'k',
      variant: 'json',
      url: 'u',
      api: 'a',
      parts: {},
      outcome: 'miss',
      reason: null,
    } as const;
    for (let i = 0; i < 25_000; i++) store.noteLookup({ ...lookup, callId: `c${i}` });
    store.flush();
    expect(query(path, 'SELECT count(*) AS n FROM lookups')).toEqual([{ n: 20_000 }]);
    expect(query(path, "SELECT call_id FROM lookups WHERE call_id = 'c24999'")).toHaveLength(1);
  });
});

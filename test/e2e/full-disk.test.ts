import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { launcher } from '../cli/launch.js';
import { type ChildEnd, findChild, type Lab, openLab, readCalls, runChild } from './lab.js';

let lab: Lab;
const undo: (() => void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) step();
  await lab.close();
});

/** A place where files stop growing: a folder, and what a command is started by so that they do. */
interface FullPlace {
  readonly folder: string;
  readonly limit: (command: readonly string[]) => readonly string[];
}

/** No file grows beyond some hundred kilobytes, by a limit of the system's that needs no rights. */
function openLimited(): FullPlace {
  const folder = join(lab.folder, 'limited');
  mkdirSync(folder);
  // In blocks of 512 or 1024 bytes, whichever the shell takes.
  return { folder, limit: (command) => ['/bin/sh', '-c', 'ulimit -f 600; exec "$0" "$@"', ...command] };
}

/** A file system that fills; `null`, with the reason said, where none may be mounted. */
function openSmallFileSystem(): FullPlace | null {
  const folder = join(lab.folder, 'small');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1200k,mode=700', 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    console.warn(`No file system that fills: ${mounted.error?.message ?? mounted.stderr.trim()}`);
    return null;
  }
  undo.push(() => spawnSync('umount', ['-l', folder]));
  return { folder, limit: (command) => command };
}

/** Calls a model so often through `llmtap run`, with everything that is written lying in the place. */
async function run({ folder, limit }: FullPlace, calls: number, flags: readonly string[]): Promise<ChildEnd> {
  const lead = ['--connect-to', `:443:127.0.0.1:${lab.provider.port}`, '--upstream-ca', lab.caPath];
  const worker = [process.execPath, findChild('worker-child.js'), 'https://api.openai.com', String(calls), '4'];
  const command = [process.execPath, launcher, 'run', '--quiet', ...lead, ...flags, '--', ...worker];
  const env = { ...lab.env, LLMTAP_HOME: join(folder, 'home') };
  return await runChild(limit(command), { env, cwd: folder, limitMs: 60_000 });
}

const count = (text: string, part: string): number => text.split(part).length - 1;

function expectSound(path: string): BetterSqlite3.Database {
  const db = new BetterSqlite3(path, { readonly: true });
  undo.push(() => db.close());
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  return db;
}

/** The whole lines of JSON Lines; the last may have been cut by the limit. */
function readWholeLines(path: string): unknown[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line): unknown => JSON.parse(line));
}

const calls = 400;

describe.each([
  ['a limit on the size of files', openLimited],
  ['a file system that fills', openSmallFileSystem],
] as const)('%s', (_, open) => {
  it('costs replies, records and events, each told of once, and nothing of the run', async (context) => {
    lab = await openLab();
    const place = open();
    if (place === null) return context.skip();
    const path = join(place.folder, 'events.jsonl');
    const before = await run(place, 1, ['--events', 'events.jsonl']);
    expect(before).toMatchObject({ status: 0, stderr: '' });
    const early = readWholeLines(path);
    expect(early.length).toBeGreaterThan(2);
    const ended = await run(place, calls, ['--cache', '--events', 'events.jsonl', '--run-id', 'full']);
    expect([ended.status, count(ended.stdout, 'finished '), ended.stdout.endsWith('done\n')]).toEqual([0, calls, true]);
    expect(count(ended.stderr, 'Could not write to the cache')).toBe(1);
    expect(count(ended.stderr, 'Could not write to the ledger')).toBe(1);
    expect(count(ended.stderr, 'Could not send events')).toBe(1);

    const recorded = readCalls(join(place.folder, 'home'), 'full').map(({ responseId }) => responseId);
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(recorded.length).toBeGreaterThan(5);
    const lost = Number(/Lost (\d+) calls/.exec(ended.stderr)?.[1]);
    expect(recorded.length + lost).toBe(calls);
    expectSound(join(place.folder, 'home', 'llmtap.db'));
    const cache = expectSound(join(place.folder, '.llmtap', 'cache.db'));
    const { kept } = cache.prepare('SELECT count(*) AS kept FROM entries').get() as { kept: number };
    expect(kept).toBeLessThan(calls);
    // The file may have been full before the first event of this run: what was in it is there.
    const events = readWholeLines(path);
    expect(events.slice(0, early.length)).toEqual(early);
    const missing = Number(/(\d+) events did not reach/.exec(ended.stderr)?.[1]);
    expect(missing).toBeGreaterThan(0);
  }, 100_000);

  it('leaves the recording of before as it was', async (context) => {
    lab = await openLab();
    const place = open();
    if (place === null) return context.skip();
    const first = await run(place, 2, ['--record', 'tape']);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    const cassettes = join(place.folder, '.llmtap', 'cassettes');
    const before = readFileSync(join(cassettes, 'tape.jsonl'), 'utf8');
    expect(readWholeLines(join(cassettes, 'tape.jsonl'))).toHaveLength(3);

    const ended = await run(place, calls, ['--record', 'tape']);
    expect([ended.status, count(ended.stdout, 'finished '), ended.stdout.endsWith('done\n')]).toEqual([0, calls, true]);
    expect(count(ended.stderr, 'Could not record to')).toBe(1);
    expect(readdirSync(cassettes)).toEqual(['tape.jsonl']);
    expect(readFileSync(join(cassettes, 'tape.jsonl'), 'utf8')).toBe(before);

    await lab.provider.close();
    const again = await run(place, 2, ['--replay', 'tape']);
    expect([again.status, again.stdout.endsWith('done\n')]).toEqual([0, true]);
  }, 100_000);
});

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { type Ended, launch, openFolder, readJsonLines } from './launch.js';

let folder: ReturnType<typeof openFolder>;
let provider: ExampleProvider;
let cacheDir: string;
let first: Ended;

const canary = 'sk-canary-4f9d0b7c2a1e8d6f5b3c';

const ask = (args: readonly string[], input?: string) =>
  launch(args, { home: folder.path, ...(input === undefined ? {} : { input }), env: { LLMTAP_CACHE_DIR: cacheDir } });
const cache = (...args: readonly string[]) => ask(['cache', ...args]);
const cacheJson = async (...args: readonly string[]) => readJsonLines((await cache(...args, '--json')).stdout);

interface Asked {
  readonly flags?: readonly string[];
  readonly stream?: boolean;
  readonly key?: string;
}

/** Asks with curl under the tap, each text once. */
const run = (texts: readonly string[], { flags = ['--cache'], stream = false, key }: Asked = {}) => {
  const curls = texts.map((content) => {
    const body = JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content }] });
    const bearer = key === undefined ? '' : `-H 'authorization: Bearer ${key}'`;
    return `curl -sS ${bearer} -H 'content-type: application/json' -d '${body}' ${provider.url}/v1/chat/completions`;
  });
  const own = ['--provider', `local=${provider.url}`, ...flags];
  return ask(['run', ...own, '--', 'sh', '-c', curls.join('; ')]);
};

const countAsked = (): number => provider.requests.length;

beforeAll(async () => {
  folder = openFolder();
  cacheDir = join(folder.path, 'cached');
  provider = await openExampleProvider();
  first = await run(['one', 'one', 'two']);
});
afterAll(async () => {
  await provider.close();
  folder.close();
});

describe('llmtap run --cache', () => {
  it('asks the provider once for what is asked twice, and says so', async () => {
    expect(first.status).toBe(0);
    expect(countAsked()).toBe(2);
    const calls = readJsonLines((await ask(['calls', '--run', 'latest', '--json'])).stdout);
    expect(calls.map(({ cached }) => cached)).toEqual([false, true, false]);
    expect(first.stderr).toMatch(/1 of 3 calls from a cache or recording: \d+ tokens and \d.* saved\./);
    expect((await ask(['summary', '--run', 'latest'])).stderr).toContain('1 of 3 calls from a cache or recording');
    expect((await ask(['runs'])).stdout).toContain('from cache');
    expect((await ask(['calls', '--run', 'latest'])).stdout).toContain('ok, from cache');
    const page = (await ask(['show', String(calls[1]?.callId)])).stdout;
    expect(page).toMatch(/of the provider +\d.*, when it was asked/);
    expect(page).toContain('chat.completions, from a cache or recording');
  });

  it('answers another run, which asks nobody when it is told only', async () => {
    const before = countAsked();
    const again = await run(['one', 'two'], { flags: ['--cache', 'only'] });
    expect(again.stdout).not.toContain('cache_only_miss');
    const miss = await run(['three'], { flags: ['--cache', 'only', '--quiet'] });
    expect(JSON.parse(miss.stdout)).toMatchObject({ error: { code: 'cache_only_miss' } });
    expect(countAsked()).toBe(before);
  });

  it('does nothing of the kind without it', async () => {
    const before = countAsked();
    await run(['one'], { flags: [] });
    expect(countAsked()).toBe(before + 1);
  });

  it('keeps nothing in a file when it is told memory', async () => {
    const before = await cacheJson('stats');
    await run(['in memory', 'in memory'], { flags: ['--cache', '--cache-memory'] });
    expect(
      readJsonLines((await ask(['calls', '--run', 'latest', '--json'])).stdout).map((call) => call.cached),
    ).toEqual([false, true]);
    expect((await cacheJson('stats'))[0]?.entries).toBe(before[0]?.entries);
  });

  it.each([
    ['a mode that there is not', ['--cache', 'always'], 'put -- before the program'],
    ['a time that is none', ['--cache', '--cache-ttl', 'soon'], '--cache-ttl 90s'],
    ['a pace that is none', ['--cache', '--replay-speed', '0'], 'instant'],
    ['a pace without a cache', ['--replay-speed', '1'], 'Add --cache'],
    ['a file and memory at once', ['--cache', '--cache-memory', '--cache-dir', 'x'], 'Leave one of them out'],
    ['an empty folder', ['--cache', '--cache-dir', ' '], 'Give a folder'],
    ['no room', ['--cache', '--cache-max-size', '0'], 'over 0'],
  ])('refuses %s, and says what to do', async (_what, flags, hint) => {
    const { status, stderr } = await ask(['run', ...flags, '--', 'true']);
    expect([status, stderr.split('\n').length]).toEqual([2, 3]);
    expect(stderr).toContain(hint);
  });
});

describe('llmtap cache', () => {
  it('stats says how much is kept and what it saved', async () => {
    const [stats] = await cacheJson('stats');
    expect(stats).toMatchObject({
      path: join(cacheDir, 'cache.db'),
      entries: 2,
      expired: 0,
      models: [{ provider: 'local', entries: 2 }],
    });
    expect(stats?.hits).toBeGreaterThan(1);
    expect(stats?.savedMs).toBeGreaterThan(0);
    const { stdout } = await cache('stats');
    expect(stdout).toMatch(/\n {2}entries {8}2\n/);
    expect(stdout).toMatch(/\nmodel +provider +entries +size +answers\n/);
  });

  it('ls lists entries in columns that line up, the last used first', async () => {
    const rows = await cacheJson('ls');
    expect(rows).toHaveLength(2);
    expect(Object.keys(rows[0] ?? {})).not.toContain('body');
    const lines = (await cache('ls')).stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^entry +kept +model +api +form +size +answers +used +took$/);
    const at = lines[0]?.indexOf('kept') ?? 0;
    for (const line of lines.slice(1)) expect(line.slice(at)).toMatch(/^\d{4}-/);
    expect(readJsonLines((await cache('ls', '--limit', '1', '--json')).stdout)).toHaveLength(1);
  });

  it('show has the reply, and its headers without those of that one exchange', async () => {
    const [row] = await cacheJson('ls');
    const key = String(row?.key);
    const { stdout } = await cache('show', key.slice(0, 8));
    expect(stdout).toContain(`from call ${String(row?.callId)}`);
    expect(stdout).toContain('"chat.completion"');
    expect(stdout).not.toMatch(/x-request-id|set-cookie/i);
    const [entry] = await cacheJson('show', key);
    expect(JSON.parse(String(entry?.text))).toMatchObject({ object: 'chat.completion' });
    expect((await cache('show', 'zzzz')).status).toBe(1);
  });

  it('why says what answered a call, and which part of the key of a miss differs from the nearest', async () => {
    const [miss, hit, other] = readJsonLines((await ask(['calls', '--json'])).stdout);
    expect((await cache('why', String(hit?.callId))).stdout).toMatch(
      /answered from the cache[\s\S]+ entry .+ from call /,
    );
    const [why] = await cacheJson('why', String(other?.callId).slice(0, 8));
    expect(why).toMatchObject({
      outcome: 'miss',
      nearest: { callId: miss?.callId },
      differing: [{ part: 'body.messages[0]', how: 'differs' }],
    });
    expect((await cache('why', String(other?.callId))).stdout).toMatch(
      /its key differs in\n {2}body\.messages\[0\] {2}differs\n/,
    );
    expect((await cache('why', 'nobody')).status).toBe(1);
    const elsewhere = await cache('why', 'latest', '--cache-dir', join(folder.path, 'empty'));
    expect([elsewhere.status, elsewhere.stderr.split('\n')[0]]).toEqual([
      1,
      expect.stringMatching(/^llmtap: The cache at .* does not know any call\.$/),
    ]);
  });

  it('why says that a stream was made of a whole reply', async () => {
    const before = countAsked();
    const { stdout } = await run(['one'], { stream: true });
    expect(stdout).toContain('data: [DONE]');
    expect(countAsked()).toBe(before);
    expect((await cacheJson('why', 'latest'))[0]).toMatchObject({ outcome: 'hit', differing: [{ part: 'variant' }] });
    const [call] = readJsonLines((await ask(['calls', '--run', 'latest', '--json'])).stdout);
    expect(JSON.stringify(call?.changes)).toMatch(/^\["reply: from the cache, made from the JSON kept from call /);
  });

  it('export writes one private file without credentials, which import takes elsewhere', async () => {
    const file = join(folder.path, 'replies.jsonl');
    const before = (await cacheJson('stats'))[0]?.entries;
    // Of a server of one's own, whose answers may depend on who asks.
    await run(['one'], { key: canary });
    const exported = await cache('export', file);
    expect(exported.stderr).toContain(`Exported ${String(before)} entries; left out: 1 bound to a credential.`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(canary);
    const elsewhere = join(folder.path, 'elsewhere');
    expect((await cache('import', file, '--cache-dir', elsewhere)).stdout).toBe(
      `Imported ${String(before)} entries.\n`,
    );
    expect((await cache('import', file, '--cache-dir', elsewhere)).stdout).toMatch(/^Imported 0 entries; \d+ left out/);
    const asked = countAsked();
    const again = await run(['one', 'two'], { flags: ['--cache', 'only', '--cache-dir', elsewhere] });
    expect(again.stdout).not.toContain('cache_only_miss');
    expect(countAsked()).toBe(asked);
    const toStdout = await cache('export', '-');
    expect(
      (await ask(['cache', 'import', '-', '--cache-dir', join(folder.path, 'third')], toStdout.stdout)).stdout,
    ).toBe(`Imported ${String(before)} entries.\n`);
  });

  it('import takes nothing that is no entry, and names its line', async () => {
    const good = (await cache('export', '-')).stdout.split('\n');
    const entry = JSON.parse(good[1] ?? '') as Record<string, unknown>;
    const wrongs = [
      { ...entry, key: 'x' },
      { ...entry, status: 500 },
      { ...entry, variant: 'other' },
      { ...entry, pieces: [[3, 0]] },
      { ...entry, headers: ['Content-Type', 'a\r\nSet-Cookie: x'] },
      { ...entry, headers: ['Content-Type'] },
      { ...entry, latencyMs: -1 },
      { ...entry, text: undefined },
    ];
    const place = ['--cache-dir', join(folder.path, 'wrong')];
    for (const wrong of [...wrongs.map((value) => JSON.stringify(value)), 'no json', '[]']) {
      const { status, stderr } = await ask(['cache', 'import', '-', ...place], `${good[0]}\n${good[1]}\n${wrong}\n`);
      expect([status, stderr]).toEqual([2, expect.stringContaining('Could not import line 3 of stdin')]);
    }
    for (const wrong of ['', 'no json', '{"format":"other"}', '{"format":"llmtap-cache","version":9,"keyVersion":1}']) {
      expect((await ask(['cache', 'import', '-', ...place], wrong)).status).toBe(2);
    }
    expect((await cache('import', join(folder.path, 'none.jsonl'))).stderr).toContain('Could not read the export');
    expect((await cache('export', join(folder.path, 'no', 'such', 'folder'))).stderr).toContain(
      'Could not write the export',
    );
  });

  it('clear deletes what is named, and asks first', async () => {
    expect((await cache('clear')).stderr).toContain('Add --yes');
    expect((await cache('clear', '--model', 'none', '--yes')).stderr).toContain('Nothing matches');
    expect((await cache('clear', '--before', '1d', '--yes')).stderr).toContain('Nothing matches');
    expect((await cache('clear', '--yes')).stdout).toMatch(/^Deleted \d entries\.\n$/);
    expect(await cacheJson('ls')).toEqual([]);
    expect((await cache('ls')).stderr).toContain('Nothing is kept here');
  });

  it('reads where there is none as an empty one, and makes no file', async () => {
    const nowhere = join(folder.path, 'nowhere');
    const [stats] = await cacheJson('stats', '--cache-dir', nowhere);
    expect(stats).toMatchObject({ entries: 0, bytes: 0, models: [] });
    expect((await cache('ls', '--cache-dir', nowhere)).status).toBe(0);
    expect(existsSync(nowhere)).toBe(false);
  });

  it('refuses a file that is no cache', async () => {
    const place = join(folder.path, 'foreign');
    await cache('import', '-', '--cache-dir', place);
    writeFileSync(join(place, 'cache.db'), 'this is no database, and long enough to be looked at as one');
    const { status, stderr } = await cache('stats', '--cache-dir', place);
    expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('Could not open the cache at')]);
    expect(status).not.toBe(0);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launcher, makeEnv } from '../cli/launch.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';
import { canaries, findCanaries, findCanariesIn, leak } from './canaries.js';
import { type ChildEnd, findChild, readCalls, runChild } from './lab.js';

let upstream: TestUpstream;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-kept-secrets-'));
  upstream = await openUpstream();
  upstream.handler = leak;
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const env = () => ({
  ...makeEnv(join(folder, 'home')),
  SOME_SERVICE_TOKEN: canaries.environment,
  CANARIES: JSON.stringify(canaries),
  GO_ON: join(folder, 'go-on'),
  CLEAN: '1',
});

/** Runs the child that sends a secret wherever one can stand, with everything that is written below one folder. */
async function run(flags: readonly string[]): Promise<ChildEnd> {
  writeFileSync(env().GO_ON, '');
  const lead = ['--connect-to', `:443:127.0.0.1:${upstream.port}`, '--upstream-ca', upstream.caPath];
  const command = ['run', '--bodies', 'full', ...lead, ...flags, '--', process.execPath, findChild('leaky-child.js')];
  return await runChild([process.execPath, launcher, ...command], { env: env(), cwd: folder });
}

const llmtap = async (...args: readonly string[]) =>
  await runChild([process.execPath, launcher, ...args], { env: env(), cwd: folder });

describe('what is kept of secrets in headers, URLs, bodies and errors', () => {
  it('is none in the cache, in its export, in events, nor in what is said of them', async () => {
    const ended = await run(['--cache', '--events', 'cached.jsonl', '--export-content', '--run-id', 'cached']);
    expect(ended.status).toBe(0);
    expect(readCalls(join(folder, 'home'), 'cached')).toHaveLength(6);
    const db = new BetterSqlite3(join(folder, '.llmtap', 'cache.db'), { readonly: true });
    expect(db.prepare('SELECT count(*) AS n FROM entries').get()).toEqual({ n: 1 });
    db.close();
    expect(readFileSync(join(folder, 'cached.jsonl'), 'utf8').match(/"call\.completed"/g)).toHaveLength(6);
    const said = [ended];
    for (const args of [['export', 'kept.jsonl'], ['ls', '--json'], ['why', 'latest'], ['stats'], ['export', '-']])
      said.push(await llmtap('cache', ...args));
    for (const { status, stdout, stderr } of said) {
      expect(status).toBe(0);
      expect(findCanaries(Buffer.from(stdout + stderr))).toEqual([]);
    }
    expect(readFileSync(join(folder, 'kept.jsonl'), 'utf8')).toContain('Hello.');
    expect(findCanariesIn(folder)).toEqual([]);
  });

  it('is none in a recording, nor in what its replay refuses and tells', async () => {
    const ended = await run(['--record', 'tape', '--events', 'recorded.jsonl', '--export-content']);
    expect(ended.status).toBe(0);
    const lines = readFileSync(join(folder, '.llmtap', 'cassettes', 'tape.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(7);
    const played = await run([
      '--replay',
      'tape',
      '--events',
      'played.jsonl',
      '--export-content',
      '--run-id',
      'played',
    ]);
    expect(readCalls(join(folder, 'home'), 'played').map(({ cached, status }) => [cached, status])).toEqual([
      ...Array.from({ length: 4 }, () => [true, 200]),
      [true, 401],
      [true, 200],
    ]);
    const other = `fetch('https://api.openai.com/v1/chat/completions?key=${canaries.queryKey}', { method: 'POST', headers:
      { authorization: 'Bearer ${canaries.bearer}' }, body: JSON.stringify({ model: 'm', api_key: '${canaries.requestMember}',
      messages: [{ role: 'user', content: 'Use ${canaries.requestText}.' }] }) }).then(async (reply) => console.log(await reply.text()))`;
    const missed = await runChild(
      [process.execPath, launcher, 'run', '--replay', 'tape', '--', process.execPath, '-e', other],
      { env: env(), cwd: folder },
    );
    expect(missed.stdout).toContain('is not in the recording');
    for (const { stdout, stderr } of [ended, played, missed])
      expect(findCanaries(Buffer.from(stdout + stderr))).toEqual([]);
    expect(findCanariesIn(folder)).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenAI } from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withCassette } from '../../dist/index.js';
import { openTrackerLab, startChat, type TrackerLab } from '../tracker/tracker-lab.js';

describe('a test’s calls', () => {
  let lab: TrackerLab;
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-suite-'));
  // These tests say themselves whether they run in CI.
  beforeEach(() => void vi.stubEnv('CI', '').stubEnv('LLMTAP_CASSETTE', ''));
  beforeAll(async () => {
    lab = await openTrackerLab();
  });
  afterEach(() => void vi.unstubAllEnvs());
  afterAll(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Where nothing answers. */
  const nowhere = { connectTo: [':443:127.0.0.1:1'] };
  const client = new OpenAI({ apiKey: 'sk-lab', maxRetries: 0 });
  const chat = async (text: string) =>
    await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: text }] });

  it('are recorded the first time, and answered without a network from then on', async () => {
    const first = await withCassette('greets', async () => await chat('Hi'), { folder, tracker: lab.options });
    const again = await withCassette('greets', async () => await chat('Hi'), { folder, tracker: nowhere });
    expect(again).toEqual(first);
    expect(existsSync(join(folder, 'greets.jsonl'))).toBe(true);
  });

  it('are those of children as well', async () => {
    const script = `fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers: { authorization: 'Bearer sk-lab', 'content-type':
      'application/json' }, body: JSON.stringify({ model: 'gpt-4o', messages: [] }) }).then(async (r) => console.log(await r.text()))`;
    const run = () => spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout;
    const first = await withCassette('child', run, { folder, tracker: lab.options });
    expect(first).toContain('gpt-4o');
    expect(await withCassette('child', run, { folder, tracker: nowhere })).toBe(first);
  });

  it('fail the test where the recording does not have them, also when the refusal was caught', async () => {
    await withCassette('misses', async () => await chat('Hi'), { folder, tracker: lab.options });
    const missing = withCassette('misses', async () => await chat('Ho').catch(() => 'nothing'), {
      folder,
      tracker: nowhere,
    });
    await expect(missing).rejects.toMatchObject({
      code: 'REPLAY_MISSED',
      message: expect.stringContaining('body.messages[0].content is "Ho", and "Hi" in the recording'),
    });
  });

  it('reject with what the test’s function rejects with', async () => {
    const failing = withCassette('fails', async () => await Promise.reject(new TypeError('mine')), {
      folder,
      tracker: lab.options,
    });
    await expect(failing).rejects.toThrow(new TypeError('mine'));
  });

  it('are recorded the next time, where the first failed before there was one', async () => {
    const failing = withCassette('late', async () => await chat('Hi'), { folder, tracker: { ...nowhere } });
    await expect(failing).rejects.toThrow('Connection error');
    expect(existsSync(join(folder, 'late.jsonl'))).toBe(false);
    await withCassette('late', async () => await chat('Hi'), { folder, tracker: lab.options });
    expect(existsSync(join(folder, 'late.jsonl'))).toBe(true);
  });

  it('stream as they streamed, are cut where they were, and fail as they failed', async () => {
    const read = async (extra: object) => {
      const reply = await startChat('stream', { stream: true, ...extra });
      return await reply.text();
    };
    const first = await withCassette('streams', async () => await read({}), { folder, tracker: lab.options });
    expect(first).toContain('[DONE]');
    expect(await withCassette('streams', async () => await read({}), { folder, tracker: nowhere })).toBe(first);
  });

  it('are never recorded in CI, where a recording is not there', async () => {
    vi.stubEnv('CI', 'true');
    const inCi = withCassette('unrecorded', async () => await chat('Hi'), { folder, tracker: lab.options });
    await expect(inCi).rejects.toMatchObject({ code: 'CASSETTE_NOT_FOUND' });
    expect(existsSync(join(folder, 'unrecorded.jsonl'))).toBe(false);
    vi.stubEnv('CI', 'false');
    await withCassette('unrecorded', async () => await chat('Hi'), { folder, tracker: lab.options });
    expect(existsSync(join(folder, 'unrecorded.jsonl'))).toBe(true);
  });

  it('obey LLMTAP_CASSETTE, and refuse a name that is no file’s', async () => {
    vi.stubEnv('LLMTAP_CASSETTE', 'replay');
    await expect(withCassette('absent', () => 1, { folder })).rejects.toMatchObject({ code: 'CASSETTE_NOT_FOUND' });
    vi.stubEnv('LLMTAP_CASSETTE', 'sometimes');
    await expect(withCassette('absent', () => 1, { folder })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('LLMTAP_CASSETTE') as unknown,
    });
    await expect(withCassette('../up', () => 1, { folder })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LLMTracker } from '../../dist/index.js';
import { openTrackerLab } from '../tracker/tracker-lab.js';

const nowhere = [':443:127.0.0.1:1'];

const ask = async (text: string): Promise<string> => {
  const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: text }] });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-lab' };
  return await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers, body }).then(
    async (reply) => await reply.text(),
    (error: Error & { cause?: { code?: string } }) => `failed: ${error.cause?.code ?? error.message}`,
  );
};

describe('a call of this process whose provider cannot be reached', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-unreached-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is in the recording, and fails as it failed when that is played', async () => {
    const lab = await openTrackerLab();
    const path = join(folder, 'unreached.jsonl');
    const run = async (mode: 'record' | 'replay'): Promise<string[]> => {
      const faults: string[] = [];
      const tracker = new LLMTracker({ ...lab.options, connectTo: nowhere, home: join(folder, mode) });
      tracker.onEvent((event) => {
        if (event.type === 'fault.occurred') faults.push(event.fault.code);
      });
      await tracker.start();
      const said = await tracker.track({ cassette: { mode, path } }, async () => [await ask('Hi'), await ask('Hi')]);
      await tracker.close();
      return [...said, ...faults];
    };
    const first = await run('record');
    expect(first).toEqual([expect.stringMatching(/^failed: /), expect.stringMatching(/^failed: /)]);
    expect(readFileSync(path, 'utf8')).toContain('"unreached"');
    expect(await run('replay')).toEqual(first);
    await lab.close();
  });

  it('is answered from the recording where that may be asked first, though nobody is there', async () => {
    const lab = await openTrackerLab();
    const path = join(folder, 'first.jsonl');
    const run = async (mode: 'record' | 'replay-or-live', connectTo: readonly string[]): Promise<string> => {
      const tracker = new LLMTracker({ ...lab.options, connectTo, home: join(folder, mode) });
      await tracker.start();
      const said = await tracker.track({ cassette: { mode, path } }, async () => await ask('Hi'));
      await tracker.close();
      return said;
    };
    const first = await run('record', lab.options.connectTo ?? []);
    expect(first).toContain('chat.completion');
    expect(await run('replay-or-live', nowhere)).toBe(first);
    await lab.close();
  });
});

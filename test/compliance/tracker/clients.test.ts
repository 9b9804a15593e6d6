/**
 * The clients people use, inside scopes, through the built package: in this process, streaming and not, shared by scopes
 * that run at once, and as children, asynchronous and not. The provider is another process, as it always is.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CallRecord, LLMTracker } from '../../../dist/index.js';
import { openProviderProcess, type ProviderProcess } from '../../fixtures/provider-process.js';
import { type Bases, type Client, clients } from './clients.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('clients.js', import.meta.url));
const remote: Bases = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  google: 'https://generativelanguage.googleapis.com',
};

let home: string;
let provider: ProviderProcess;
let tracker: LLMTracker;
let local: Bases;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-compliance-'));
  provider = await openProviderProcess();
  const url = `http://localhost:${provider.localPort}`;
  local = { openai: `${url}/v1`, anthropic: url, google: url };
  tracker = new LLMTracker({
    home,
    connectTo: [`:443:127.0.0.1:${provider.port}`],
    upstreamCa: provider.caPath,
    providers: (['openai', 'anthropic', 'google'] as const).map((dialect) => {
      return { name: `local-${dialect}`, baseUrl: url, dialect };
    }),
  });
  await tracker.start();
});
afterAll(async () => {
  await tracker.close();
  await provider.close();
  rmSync(home, { recursive: true, force: true });
});

/** The one record of a run, with what the provider billed for it. */
async function readOne(runId: string): Promise<CallRecord> {
  const [record, ...more] = await tracker.records({ runId }, { bodies: true });
  expect(more).toEqual([]);
  if (record === undefined) throw new Error(`nothing was recorded under ${runId}`);
  // The provider knows that its reply is over a moment after its client does.
  const served = await vi.waitFor(
    async () => {
      const found = (await provider.requests()).find(({ responseId, requestId }) =>
        record.responseId === null ? requestId === record.requestId : responseId === record.responseId,
      );
      expect(found?.end).toBe('whole');
      return found;
    },
    { timeout: 5000 },
  );
  expect(record).toMatchObject({ status: 200, outcome: 'ok', error: null });
  expect(record.usage).toMatchObject({
    inputTokens: served?.bill?.inputTokens,
    outputTokens: served?.bill?.outputTokens,
  });
  return record;
}

const compareText = (a: string, b: string): number => a.localeCompare(b);

describe.each(Object.keys(clients))('%s', (name) => {
  let client: Client;
  beforeAll(async () => {
    client = (await clients[name]?.(remote)) as Client;
  });

  it.each(['ask', 'stream'] as const)('in a scope is recorded with what was billed: %s', async (way) => {
    const runId = `in-process ${name} ${way}`;
    const text = await tracker.track({ runId, configKey: 'c' }, async () => await client[way]('Say one two three'));
    expect(text.length).toBeGreaterThan(10);
    const record = await readOne(runId);
    expect(record).toMatchObject({ configKey: 'c', stream: way === 'stream' });
  });

  it('outside every scope is untouched, also on connections that scopes have used', async () => {
    const shared = (await clients[name]?.(local)) as Client;
    const before = (await tracker.records()).length;
    await shared.ask('outside before');
    await tracker.track({ runId: `local ${name}` }, async () => await shared.ask('inside'));
    await shared.ask('outside after');
    await shared.stream('outside after');
    const records = await tracker.records({ runId: `local ${name}` }, { bodies: true });
    expect(records.map(({ requestBody }) => JSON.stringify(requestBody))).toEqual([expect.stringContaining('inside')]);
    expect((await tracker.records()).length).toBe(before + 1);
  });

  it('shared by scopes that run at once gives each its own calls', async () => {
    const scopes = [0, 1, 2, 3];
    const said = (scope: number, turn: number) => `scope ${scope} turn ${turn} of ${name}`;
    await Promise.all(
      scopes.map(
        async (scope) =>
          await tracker.track({ runId: `shared ${name} ${scope}` }, async () => {
            for (let turn = 0; turn < 3; turn++) {
              await Promise.all([client.ask(said(scope, turn)), client.stream(said(scope, turn))]);
            }
          }),
      ),
    );
    for (const scope of scopes) {
      const records = await tracker.records({ runId: `shared ${name} ${scope}` }, { bodies: true });
      const bodies = records.map(({ requestBody }) => JSON.stringify(requestBody));
      const expected = [0, 1, 2].flatMap((turn) => [said(scope, turn), said(scope, turn)]);
      const found = bodies.map((body) => /scope \d turn \d of [^"]*/.exec(body)?.[0] ?? body);
      expect(found.toSorted(compareText)).toEqual(expected.toSorted(compareText));
    }
  });

  it.each(['ask', 'stream'] as const)('in a child is recorded with what was billed: %s', async (way) => {
    const runId = `child ${name} ${way}`;
    const args = [program, name, way, 'Say one two three', JSON.stringify(remote)];
    const { stdout } = await tracker.track({ runId }, async () => await run(process.execPath, args));
    expect(stdout.length).toBeGreaterThan(10);
    expect((await readOne(runId)).stream).toBe(way === 'stream');
  });

  it('in a child that is waited for synchronously is recorded', async () => {
    const runId = `sync child ${name}`;
    const args = [program, name, 'ask', 'Say one two three', JSON.stringify(remote)];
    const text = await tracker.track({ runId }, () => execFileSync(process.execPath, args, { encoding: 'utf8' }));
    expect(text.length).toBeGreaterThan(10);
    await readOne(runId);
  });
});

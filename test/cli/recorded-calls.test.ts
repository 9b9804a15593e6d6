import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { formatUsd } from '../../src/core/format-usd.js';
import { type Ended, launch, openFolder, readJsonLines } from './launch.js';

/** The record's field names: a public contract, in the order of the README. */
const recordFields = [
  ...['callId', 'sessionId', 'runId', 'configKey', 'variationKey', 'version', 'graphKey', 'graphRunId', 'dataId'],
  ...['comboId', 'agentId', 'provider', 'api', 'method', 'url', 'requestedModel', 'routedModel', 'model', 'stream'],
  ...['status', 'outcome', 'usage', 'usageProblem', 'startedAt', 'latencyMs', 'timeToFirstByteMs'],
  ...['timeToFirstTokenMs', 'cached', 'finishReasons', 'toolCalls', 'responseId', 'requestId', 'wireSession'],
  ...['requestBytes', 'responseBytes', 'error', 'requestBody', 'responseBody'],
];

/** Of model-a; model-b has none. */
const prices = { inputPerMillion: 2000, outputPerMillion: 8000 };

let folder: ReturnType<typeof openFolder>;
let provider: ExampleProvider;
let ended: Ended;
let summaryPath: string;

const ask = (...args: readonly string[]) => launch(args, { home: folder.path });
const askJson = async (...args: readonly string[]) => readJsonLines((await ask(...args, '--json')).stdout);

beforeAll(async () => {
  folder = openFolder();
  provider = await openExampleProvider();
  summaryPath = join(folder.path, 'summary.json');
  const pricesPath = join(folder.path, 'prices.json');
  writeFileSync(pricesPath, JSON.stringify({ models: { 'local/model-a': prices } }));
  const url = `${provider.url}/v1/chat/completions`;
  const curl = (model: string, stream: boolean) => {
    const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Say \u001b[31m hello.' }] });
    return `curl -sS -H 'content-type: application/json' -d '${body}' ${url}`;
  };
  const script = [
    curl('model-a', false),
    curl('model-a', true),
    curl('model-b', false),
    `curl -sS ${provider.url}/v1/models`,
  ];
  const flags = [
    '--run-id',
    'recorded',
    '--agent-id',
    'me',
    '--provider',
    `local=${provider.url}`,
    '--prices',
    pricesPath,
  ];
  const command = ['sh', '-c', script.join('; ')];
  ended = await launch(['run', ...flags, '--summary-json', summaryPath, '--', ...command], { home: folder.path });
});

afterAll(async () => {
  await provider.close();
  folder.close();
});

describe('a run with model calls', () => {
  it('prints what the provider billed, one line a model', () => {
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain('3 model calls');
    expect(ended.stderr).toMatch(/\nmodel-a +local +2 +0 /);
    expect(ended.stderr).toMatch(/\nmodel-b +local +1 +0 /);
    expect(ended.stderr).toMatch(/\ntotal +3 +0 /);
    expect(ended.stderr).toContain('llmtap calls --run recorded\n');
    expect(provider.requests).toHaveLength(4);
  });

  it('says what it cost, and of how many calls that is not known', async () => {
    const bills = provider.requests.slice(0, 2).map(({ bill }) => bill);
    const billed = bills.reduce(
      (sum, bill) => sum + (bill?.inputTokens ?? 0) * 2000 + (bill?.outputTokens ?? 0) * 8000,
      0,
    );
    const usd = billed / 1e6;
    expect(usd).toBeGreaterThan(0);
    expect((await askJson('summary')).map(({ model, costUsd }) => [model, costUsd])).toEqual([
      ['model-a', { known: usd, unknownCalls: 0 }],
      ['model-b', { known: null, unknownCalls: 1 }],
    ]);
    expect((await askJson('runs'))[0]).toMatchObject({ costUsd: { known: usd, unknownCalls: 1 } });
    expect(ended.stderr).toContain(`, ≥ ${formatUsd(usd)} · run recorded`);
    expect(ended.stderr).toContain('1 call has no price');
    expect((await ask('runs')).stdout).toContain(`≥ ${formatUsd(usd)}`);
    const [first, , last] = await askJson('calls');
    const { stdout } = await ask('show', String(first?.callId));
    expect(stdout).toMatch(/\n {2}priced as {11}local model-a, price file [0-9a-f]{12}\n/);
    expect(stdout).toMatch(/\n {4}output tokens {5}\$8000 per million\n/);
    expect((await ask('show', String(last?.callId))).stdout).toContain('The price list has no provider local');
  });

  it('writes the same to the file', async () => {
    expect(existsSync(summaryPath)).toBe(true);
    const models = await askJson('summary', '--run', 'recorded');
    const { default: file } = await import(summaryPath, { with: { type: 'json' } });
    expect(file).toMatchObject({ runId: 'recorded', calls: 3, errors: 0, counts: { calls: 3, passedRequests: 1 } });
    expect(file.models).toEqual(models);
  });
});

describe('what is on record', () => {
  it('is listed as a table, oldest first', async () => {
    const { stdout } = await ask('calls', '--run', 'recorded');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^call +started +model +api +ended +input +cached +output +cost +latency +first token$/);
    expect(lines.slice(1).map((line) => /model-\w/.exec(line)?.[0])).toEqual(['model-a', 'model-a', 'model-b']);
  });

  it('is listed as records with the field names of the contract', async () => {
    const calls = await askJson('calls', '--run', 'latest');
    expect(calls).toHaveLength(3);
    for (const call of calls) {
      expect(Object.keys(call)).toEqual(expect.arrayContaining(recordFields));
      expect(call).toMatchObject({ runId: 'recorded', agentId: 'me', outcome: 'ok', status: 200 });
      expect(call.requestBody).toMatchObject({ messages: [{ role: 'user' }] });
    }
    const [first, second] = provider.requests;
    expect([calls[0]?.usage, calls[1]?.usage]).toEqual([first?.bill, second?.bill]);
  });

  it('gives the last so many, with their bodies', async () => {
    const all = await askJson('calls');
    expect(await askJson('calls', '--limit', '2')).toEqual(all.slice(1));
  });

  it('is listed by the beginning of a session', async () => {
    const [call] = await askJson('calls');
    const session = String(call?.sessionId);
    expect(await askJson('calls', '--session', session.slice(0, 9))).toHaveLength(3);
    expect(await askJson('calls', '--session', session)).toHaveLength(3);
  });

  it('is shown by latest', async () => {
    expect((await askJson('show', 'latest'))[0]?.callId).toBe((await askJson('calls'))[2]?.callId);
  });

  it('is shown on a page that cannot steer the terminal', async () => {
    const [call] = await askJson('calls');
    const id = String(call?.callId);
    const { stdout } = await ask('show', id.slice(0, 8));
    expect(stdout).toContain(`call ${id}  ok\n`);
    for (const title of ['\nusage\n', '\ntime\n', '\nattribution\n', '\nrequest body ', '\nresponse body ']) {
      expect(stdout).toContain(title);
    }
    const names = stdout.split('\n\n')[0]?.match(/^ {2}\S+(?: \S+)*/gm) ?? [];
    expect(names).toEqual([...new Set(names)]);
    expect(stdout).toContain('"role": "user"');
    expect(stdout).not.toContain('\u001b');
    expect(await askJson('show', id)).toEqual([call]);
  });

  it('is summed up one line a model', async () => {
    const models = await askJson('summary');
    expect(models.map(({ model, calls }) => [model, calls])).toEqual([
      ['model-a', 2],
      ['model-b', 1],
    ]);
    expect((await ask('summary', '--run', 'rec')).stdout).toMatch(/\ntotal +3 /);
  });

  it('is counted by the store and can be thrown away', async () => {
    expect((await askJson('store', 'info'))[0]).toMatchObject({ calls: 3, runs: 1 });
    const bodies = await askJson('store', 'prune', '--bodies-only', '--yes');
    expect(bodies).toEqual([expect.objectContaining({ calls: 0, bodies: 3 })]);
    expect((await askJson('calls'))[0]).toMatchObject({ requestBody: null, responseBody: null });
    const { stdout } = await ask('store', 'prune', '--before', '2999-01-01', '--yes');
    expect(stdout).toMatch(/^Deleted 3 calls and the bodies of 0 calls: /);
    expect(await askJson('calls')).toEqual([]);
  });
});

describe('a client that refuses the certificate', () => {
  it('is named after the program has ended, once, with a hint', async () => {
    const caPath = (await ask('ca', 'path')).stdout.trimEnd();
    const other = openFolder();
    try {
      // A real root, but not that of this home.
      const run = ['run', '--', 'curl', '-sS', '--retry', '0', '--cacert', caPath, 'https://api.openai.com/v1/models'];
      const { status, stderr } = await launch(run, { home: other.path });
      expect(status).toBe(60);
      expect(stderr.match(/llmtap: .*api\.openai\.com/g)).toHaveLength(1);
      expect(stderr).toMatch(/\n {2}hint: /);
      expect(stderr).toContain('would not trust the certificate');
    } finally {
      other.close();
    }
  });
});

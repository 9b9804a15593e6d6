import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab.close());

/** Makes so many chats one after the other by the built-in fetch, and prints each status and reply. */
const program = `
  for (let i = 0; i < Number(process.argv[1]); i++) {
    const response = await fetch('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-example' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hi' }], max_tokens: 50 }),
    });
    console.log(response.status + ' ' + (await response.text()).replaceAll('\\n', ''));
  }`;
const chats = (times: number) => [process.execPath, '--input-type=module', '-e', program, String(times)];

const routedModels = (runId: string) => lab.readCalls(runId).map(({ routedModel }) => routedModel);

describe('llmtap run --router', () => {
  it('T6 asks for one of the candidates each time, in the same order when the run is made again', async () => {
    const flags = ['--router', 'random:gpt-4o,gpt-4o-mini@42'];
    for (const runId of ['first', 'again']) {
      const { status, stderr } = await lab.run(chats(8), { flags: [...flags, '--run-id', runId] });
      expect([status, stderr]).toEqual([0, '']);
    }
    expect(new Set(routedModels('first'))).toEqual(new Set(['gpt-4o', 'gpt-4o-mini']));
    expect(routedModels('again')).toEqual(routedModels('first'));
  });

  it('T8 routes a program and has the routed model on record', async () => {
    await lab.run(chats(1), { flags: ['--router', 'fixed:gpt-4o-mini', '--run-id', 'fixed'] });
    const [record] = lab.readCalls('fixed');
    expect(record).toMatchObject({ requestedModel: 'gpt-4o', routedModel: 'gpt-4o-mini', outcome: 'ok' });
    expect(record?.changes).toEqual(['request: model set to gpt-4o-mini by the router']);
  });

  it('asks a module of the user, tells it how each call went, and shows it what it may see', async () => {
    const told = join(lab.folder, 'told.jsonl');
    const module = `
      import { appendFileSync } from 'node:fs';
      const tell = (fact) => appendFileSync(${JSON.stringify(told)}, JSON.stringify(fact) + '\\n');
      export default {
        route: ({ request, provider, requestedModel, session, history }) => {
          tell([provider, requestedModel, session.configKey, history.length, request.messages[0].content]);
          return { model: 'gpt-4o-mini' };
        },
        onOutcome: (record) => tell([record.routedModel, record.outcome, record.requestBody]),
      };`;
    writeFileSync(join(lab.folder, 'router.mjs'), module);
    const flags = ['--router', './router.mjs', '--run-id', 'module', '--config-key', 'bot'];
    const { status, stderr } = await lab.run(chats(2), { flags });
    expect([status, stderr]).toEqual([0, '']);
    expect(routedModels('module')).toEqual(['gpt-4o-mini', 'gpt-4o-mini']);
    const facts = readFileSync(told, 'utf8').trim().split('\n');
    expect(facts.map((fact) => JSON.parse(fact) as unknown)).toEqual([
      ['openai', 'gpt-4o', 'bot', 0, 'Say hi'],
      ['gpt-4o-mini', 'ok', null],
      ['openai', 'gpt-4o', 'bot', 1, 'Say hi'],
      ['gpt-4o-mini', 'ok', null],
    ]);
  });

  it('keeps what a router has learned in its file, from one run to the next', async () => {
    const options = { candidates: ['gpt-4o', 'gpt-4o-mini'], seed: 1, stateFile: 'learned.json' };
    const flags = ['--router', JSON.stringify({ name: 'thompson', options })];
    for (let run = 1; run <= 2; run++) {
      await lab.run(chats(3), { flags });
      const { arms } = JSON.parse(readFileSync(join(lab.folder, 'learned.json'), 'utf8')) as {
        arms: Record<string, { successes: number; failures: number }>;
      };
      expect(Object.values(arms).reduce((sum, { successes }) => sum + successes, 0)).toBe(3 * run);
    }
  });

  it.each([
    ['best:a', /names no router/],
    ['./missing.mjs', /could not be loaded: there is no such file\.\n {2}hint: Give the path/],
    ['./empty.mjs', /its default export is no router/],
  ])('begins nothing where it cannot be had: %s', async (router, problem) => {
    writeFileSync(join(lab.folder, 'empty.mjs'), 'export const route = () => null;');
    const { status, stdout, stderr } = await lab.run(chats(1), { flags: ['--router', router] });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(problem);
  });
});

describe('llmtap run --max-…', () => {
  it('refuses the calls beyond, in words of the provider, and says so in the end', async () => {
    const summaryPath = join(lab.folder, 'summary.json');
    const flags = ['--max-calls', '2', '--run-id', 'calls', '--summary-json', summaryPath];
    const { status, stdout, stderr } = await lab.run(chats(4), { flags });
    expect(status).toBe(0);
    expect(stdout.split('\n').map((line) => line.slice(0, 3))).toEqual(['200', '200', '429', '429', '']);
    expect(JSON.parse(stdout.split('\n')[3]?.slice(4) ?? '')).toMatchObject({ error: { code: 'insufficient_quota' } });
    expect(stderr).toContain("A call was refused: the run's budget of 2 calls is spent.");
    expect(JSON.parse(readFileSync(summaryPath, 'utf8'))).toMatchObject({ calls: 4, errors: 2, refusedCalls: 2 });
    expect(lab.readCalls('calls').map(({ error }) => error?.code ?? null)).toEqual([
      ...[null, null],
      ...['BUDGET_EXCEEDED', 'BUDGET_EXCEEDED'],
    ]);
    const { stderr: note } = await lab.llmtap('summary', '--run', 'calls');
    expect(note).toContain('2 calls were refused and sent to nobody: the budget had no room.');
  });

  it('goes on from what the run has spent before', async () => {
    const flags = ['--max-calls', '3', '--run-id', 'twice'];
    await lab.run(chats(2), { flags });
    const { stdout } = await lab.run(chats(2), { flags });
    expect(stdout.split('\n').map((line) => line.slice(0, 3))).toEqual(['200', '429', '']);
  });

  it.each([
    ['--max-tokens', '80'],
    ['--max-cost', '0.0006'],
  ])('refuses what may pass %s %s before it is sent', async (flag, most) => {
    const { stdout } = await lab.run(chats(8), { flags: [flag, most, '--run-id', flag] });
    const statuses = stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 3));
    expect([statuses[0], statuses.at(-1)]).toEqual(['200', '429']);
    const calls = lab.readCalls(flag);
    const spent = { tokens: 0, usd: 0 };
    for (const { usage, cost } of calls) {
      spent.tokens += usage.totalTokens ?? 0;
      spent.usd += cost.usd ?? 0;
    }
    expect(flag === '--max-cost' ? spent.usd : spent.tokens).toBeLessThanOrEqual(Number(most));
  });

  it.each([
    ['--max-cost', 'much'],
    ['--max-cost', '-1'],
    ['--max-calls', '1.5'],
    ['--max-tokens', ''],
  ])('begins nothing with %s %s', async (flag, value) => {
    const { status, stdout } = await lab.run(chats(1), { flags: [`${flag}=${value}`] });
    expect([status, stdout]).toEqual([2, '']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { makeConfigToken, makeGraphToken } from '../../src/trackers/resumption-token.js';
import { launch, openFolder, readJsonLines } from './launch.js';

let folder: ReturnType<typeof openFolder>;
let provider: ExampleProvider;
beforeAll(async () => {
  folder = openFolder();
  provider = await openExampleProvider();
});
afterAll(async () => {
  await provider.close();
  folder.close();
});

const llmtap = (...args: readonly string[]) => launch(args, { home: folder.path });
const listEvents = async (run: string) => readJsonLines((await llmtap('events', '--run', run, '--json')).stdout);
const names = (events: readonly Record<string, unknown>[]) =>
  events.map(({ name }) => String(name).replace('$ld:ai:', ''));

const makeToken = (runId: string) =>
  makeConfigToken({ runId, configKey: 'bot', variationKey: '', version: 2, graphKey: null });

function runBot(runId: string, script: string) {
  const flags = ['--config-key', 'bot', '--run-id', runId, '--quiet', '--provider', `local=${provider.url}`];
  return llmtap('run', ...flags, '--', 'sh', '-c', script);
}

const curl = (): string => {
  const body = JSON.stringify({ model: 'model-a', messages: [{ role: 'user', content: 'Hi' }] });
  return `curl -sS -o /dev/null -H 'content-type: application/json' -d '${body}' ${provider.url}/v1/chat/completions`;
};

describe('llmtap run of a config', () => {
  it('says what the wire saw, and what the program says of its own run by the token it is given', async () => {
    const own = `node ${JSON.stringify(new URL('../../bin/llmtap.js', import.meta.url).pathname)}`;
    const { stderr, status } = await runBot('run-a', `${curl()}; ${own} event "$LLMTAP_RESUMPTION_TOKEN" duration 7`);
    expect([stderr, status]).toEqual(['', 0]);
    const events = await listEvents('run-a');
    expect(names(events)).toEqual([
      ...['duration:total', 'generation:success', 'tokens:total', 'tokens:input', 'tokens:output'],
    ]);
    expect(events[0]).toMatchObject({ value: 7, source: 'caller', data: { configKey: 'bot', runId: 'run-a' } });
    const { stdout } = await llmtap('events', '--run', 'run-a');
    expect(stdout.split('\n')[1]).toMatch(/run-a +generation:success +1 +wire +configKey=bot$/);
    const [row] = readJsonLines((await llmtap('runs', '--json')).stdout);
    expect(row).toMatchObject({ runId: 'run-a', outcome: 'success' });
  });

  it('is an error where the program failed, whatever its calls were', async () => {
    expect((await runBot('run-b', `${curl()}; exit 3`)).status).toBe(3);
    expect(names(await listEvents('run-b'))).toContain('generation:error');
    expect((await runBot('run-c', 'true')).status).toBe(0);
    expect((await llmtap('events', '--run', 'run-c')).stderr).toContain('No event of a run is recorded yet.');
  });
});

describe('llmtap feedback', () => {
  it('is kept with its run, for the one the run was for', async () => {
    await llmtap('event', makeToken('run-d'), 'tool', 'search', 'weather', '--user', 'user-7');
    expect((await llmtap('feedback', makeToken('run-d'), 'positive')).status).toBe(0);
    const events = await listEvents('run-d');
    expect(names(events)).toEqual(['tool_call', 'tool_call', 'feedback:user:positive']);
    expect(events[2]?.context).toEqual({ kind: 'user', key: 'user-7' });
  });

  it('is refused, with 1, where the run has feedback already, of whatever kind', async () => {
    const token = makeToken('run-i');
    expect((await llmtap('feedback', token, 'positive')).status).toBe(0);
    for (const kind of ['positive', 'negative']) {
      const { status, stderr } = await llmtap('feedback', token, kind);
      expect([status, stderr.split('\n')[0]]).toEqual([
        1,
        'llmtap: Could not say "feedback" of run run-i: it has that fact already.',
      ]);
    }
    expect(names(await listEvents('run-i'))).toEqual(['feedback:user:positive']);
  });

  it.each([
    ['no base64!', 'it is not base64'],
    ['', 'it is empty'],
    [Buffer.from('{"configKey":"x","version":1}').toString('base64url'), 'it has no runId'],
  ])('says in one sentence what is wrong with the token "%s", and ends with 2', async (token, reason) => {
    const { status, stderr, stdout } = await llmtap('feedback', token, 'positive');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toBe(`llmtap: Could not read the resumption token of a config tracker: ${reason}.`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('takes no other kind', async () => {
    const { status, stderr } = await llmtap('feedback', makeToken('run-d'), 'maybe');
    expect([status, stderr]).toEqual([2, expect.stringContaining('positive, negative')]);
  });
});

describe('llmtap event', () => {
  it('says what a config’s or a graph’s run came to', async () => {
    const graph = makeGraphToken({ runId: 'run-e', graphKey: 'g', variationKey: '', version: 1 });
    for (const said of [['path', 'a', 'b'], ['handoff', 'a', 'b'], ['tokens', '3', '4'], ['failure']]) {
      expect((await llmtap('event', graph, ...said)).stderr).toBe('');
    }
    expect(names(await listEvents('run-e'))).toEqual([
      ...['graph:path', 'graph:handoff_success', 'graph:total_tokens', 'graph:invocation_failure'],
    ]);
    expect((await llmtap('event', makeToken('run-e'), 'judge', 'my:score', '0.5', 'judge-1')).status).toBe(0);
    expect((await listEvents('run-e')).at(-1)).toMatchObject({
      name: 'my:score',
      value: 0.5,
      data: { judgeConfigKey: 'judge-1' },
    });
  });

  it('says so, with 1, where the run has the fact from the wire already', async () => {
    await runBot('run-f', curl());
    const { status, stderr } = await llmtap('event', makeToken('run-f'), 'error');
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'llmtap: Could not say "error" of run run-f: it has that fact already.',
    ]);
  });

  it.each([
    [['path', 'a'], 'cannot be said of the run of a config'],
    [['duration'], 'is not what it takes'],
    [['duration', 'soon'], 'is no number'],
    [['judge', 'm', '2'], 'is no score'],
    [['dance'], 'dance'],
    [['tokens', '0', '0'], 'says nothing'],
    [['tool', 'search', ' '], 'has a value that is empty'],
    [['judge', '', '0.5'], 'has a value that is empty'],
  ])('refuses %j with 2', async (said, problem) => {
    const { status, stderr } = await llmtap('event', makeToken('run-g'), ...said);
    expect([status, stderr]).toEqual([2, expect.stringContaining(problem)]);
  });
});

it('llmtap events --follow prints what other processes write, until it is told to stop', async () => {
  const follow = launch(['events', '--follow', '--json', '--run', 'run-h'], {
    home: folder.path,
    on: { text: 'tool_call', call: (child) => void child.kill('SIGINT') },
  });
  await llmtap('event', makeToken('run-h'), 'tool', 'search');
  const { stdout, status } = await follow;
  expect([names(readJsonLines(stdout)), status]).toEqual([['tool_call'], 0]);
});

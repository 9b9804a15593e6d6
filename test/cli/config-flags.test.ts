import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { readContextFlag } from '../../src/cli/context-flag.js';
import { parseConfigToken, parseGraphToken } from '../../src/trackers/resumption-token.js';
import { launch, launcher, openFolder, readJsonLines } from './launch.js';

const flagValues = {
  bot: {
    _ldMeta: { enabled: true, variationKey: 'short', version: 3, modelKey: 'mk', modelVersion: 2 },
    model: { name: 'gpt-4o-mini' },
    provider: { name: 'openai' },
    messages: [{ role: 'system', content: 'Hi {{ldctx.key}}' }],
  },
  agent: { _ldMeta: { enabled: true, mode: 'agent', version: 0 } },
  off: { _ldMeta: { variationKey: 'v', version: 1 } },
  odd: { _ldMeta: { enabled: true, mode: 'chat' } },
  text: 'gpt-4o',
  untried: { root: 'triage', edges: { triage: [{ key: 'billing' }, { key: 'sales' }], billing: [{ key: 'triage' }] } },
  support: {
    _ldMeta: { variationKey: 'gv', version: 5 },
    root: 'triage',
    edges: { triage: [{ key: 'billing' }, { key: 'sales' }], billing: [{ key: 'triage' }] },
  },
};

let folder: ReturnType<typeof openFolder>;
let project: ReturnType<typeof openFolder>;
let provider: ExampleProvider;
let file: string;
beforeAll(async () => {
  folder = openFolder();
  project = openFolder();
  provider = await openExampleProvider();
  file = join(folder.path, 'flags.json');
  writeFileSync(file, JSON.stringify({ flagValues }));
  writeFileSync(join(project.path, 'llmtap.config.yaml'), JSON.stringify({ flagValues }));
});
afterAll(async () => {
  await provider.close();
  project.close();
  folder.close();
});

const llmtap = (...args: readonly string[]) => launch(args, { home: folder.path });
const inProject = (...args: readonly string[]) => launch(args, { home: folder.path, cwd: project.path });
const listEvents = async (run: string) => readJsonLines((await llmtap('events', '--run', run, '--json')).stdout);

function call(): string {
  const body = JSON.stringify({ model: 'model-a', messages: [{ role: 'user', content: 'Hi' }] });
  return `curl -sS -o /dev/null -H 'content-type: application/json' -d '${body}' ${provider.url}/v1/chat/completions`;
}

const provided = () => ['--quiet', '--provider', `local=${provider.url}`];

describe('the config of llmtap run', () => {
  it('comes from the file that is named: variation, version, model and provider, for the one the run is for', async () => {
    const flags = [
      '--config',
      file,
      '--config-key',
      'bot',
      '--run-id',
      'run-1',
      '--context',
      'org:acme',
      ...provided(),
    ];
    const script = `${call()}; echo "$LLMTAP_RESUMPTION_TOKEN"`;
    const { stdout, stderr, status } = await llmtap('run', ...flags, '--', 'sh', '-c', script);
    expect([stderr, status]).toEqual(['', 0]);
    expect(parseConfigToken(stdout.trim())).toEqual({
      ok: true,
      value: { runId: 'run-1', configKey: 'bot', variationKey: 'short', version: 3, graphKey: null },
    });
    const [record] = readJsonLines((await llmtap('calls', '--run', 'run-1', '--json')).stdout);
    expect(record).toMatchObject({ configKey: 'bot', variationKey: 'short', version: 3 });
    const events = await listEvents('run-1');
    expect(events.length).toBeGreaterThan(3);
    for (const { data, context } of events) {
      expect(context).toEqual({ kind: 'org', key: 'acme' });
      expect(data).toEqual({
        ...{ runId: 'run-1', configKey: 'bot', variationKey: 'short', version: 3, modelName: 'gpt-4o-mini' },
        ...{ providerName: 'openai', modelVersion: 2, modelKey: 'mk' },
      });
    }
  });

  it('comes from the file of the working folder, and what is given by hand goes before it', async () => {
    const script = 'echo "$LLMTAP_RESUMPTION_TOKEN"';
    const run = async (...flags: readonly string[]) => {
      const { stdout, stderr } = await inProject('run', '--quiet', ...flags, '--', 'sh', '-c', script);
      expect(stderr).toBe('');
      return parseConfigToken(stdout.trim());
    };
    const own = ['--variation-key', 'mine', '--version', '9'];
    expect(await run('--config-key', 'bot', ...own)).toMatchObject({ value: { variationKey: 'mine', version: 9 } });
    expect(await run('--config-key', 'agent')).toMatchObject({ value: { variationKey: '', version: 0 } });
    expect(await run('--config-key', 'other', '--no-config')).toMatchObject({ value: { version: 1 } });
  });

  it('is that of the graph in a session for a graph alone', async () => {
    const ids = ['--graph-key', 'support', '--graph-run-id', 'graph-1'];
    const { stdout } = await inProject('run', '--quiet', ...ids, '--', 'sh', '-c', 'echo "$LLMTAP_RESUMPTION_TOKEN"');
    expect(parseGraphToken(stdout.trim())).toMatchObject({ value: { variationKey: 'gv', version: 5 } });
    expect((await inProject('run', '--quiet', '--graph-key', 'a-name', '--', 'true')).stderr).toBe('');
  });

  it.each([
    ['nobody', 'it has "bot", "agent", "off", "odd", "text" and 2 more'],
    ['off', 'it is disabled'],
    ['odd', 'its mode "chat" is none of completion, agent, judge'],
    ['text', 'it is no object'],
  ])('is refused in one sentence where it is of no use: %s', async (key, problem) => {
    const { status, stdout, stderr } = await llmtap('run', '--config', file, '--config-key', key, '--', 'echo', 'ran');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toBe(
      `llmtap: Could not use the config "${key}" of the file of flags "${file}": ${problem}.`,
    );
    const found = await inProject('run', '--config-key', key, '--', 'echo', 'ran');
    expect([found.status, found.stderr]).toEqual([2, expect.stringContaining('--no-config')]);
  });

  it.each([
    [['--context', 'user-1'], '--context without --config-key'],
    [['--dedupe', 'run'], '--dedupe without --config-key'],
    [['--config', 'flags.json'], '--config without --config-key'],
    [['--config', 'missing.yaml', '--config-key', 'bot'], 'missing.yaml'],
    [['--config-key', 'bot', '--context', ':x'], 'is of no kind there is'],
    [['--config-key', 'bot', '--context', 'org:'], 'has no key'],
    [['--config-key', 'bot', '--context', '{"kind":"user"}'], '"{"kind":"user"}" of --context has no kind with a key'],
    [['--export-content'], '--export-content: nothing that takes content is exported to'],
    [['--config-key', 'bot', '--context', '{kind'], 'is no JSON'],
    [['--config-key', 'bot', '--dedupe', 'all'], 'Use run or tracker.'],
  ])('refuses %j with 2', async (flags, problem) => {
    const { status, stderr } = await llmtap('run', ...flags, '--', 'true');
    expect([status, stderr]).toEqual([2, expect.stringContaining(problem)]);
  });
});

describe('who a run is for', () => {
  it.each([
    ['user-1', { kind: 'user', key: 'user-1' }],
    ['org:acme:eu', { kind: 'org', key: 'acme:eu' }],
    ['{"kind":"user","key":"u","plan":"pro"}', { kind: 'user', key: 'u', plan: 'pro' }],
    ['{"kind":"multi","user":{"key":"u"},"org":{"key":"o"}}', expect.objectContaining({ kind: 'multi' })],
  ])('is read of %s', (value, context) => {
    expect(readContextFlag(value)).toEqual(context);
  });
});

describe('--dedupe', () => {
  const goOn = async (run: string, ...flags: readonly string[]) => {
    for (const status of [3, 0]) {
      const ids = ['--no-config', '--config-key', 'bot', '--run-id', run];
      await llmtap('run', ...ids, ...flags, ...provided(), '--', 'sh', '-c', `${call()}; exit ${status}`);
    }
    const said = await listEvents(run);
    return said.flatMap(({ name }) => (/generation|total/.test(String(name)) ? [String(name).slice(7)] : []));
  };

  it('tracker, or nothing: each session of a run that is gone on with says what it saw', async () => {
    expect(await goOn('run-twice')).toEqual([
      ...['duration:total', 'generation:error', 'tokens:total'],
      ...['duration:total', 'generation:success', 'tokens:total'],
    ]);
  });

  it('run: a run that is gone on with has each fact once, by the session that said it first', async () => {
    expect(await goOn('run-once', '--dedupe', 'run')).toEqual(['duration:total', 'generation:error', 'tokens:total']);
  });

  it('of either kind: a session inside one of the same run and config leaves it all to that one', async () => {
    const ids = (run: string) => ['--no-config', '--config-key', 'bot', '--run-id', run, ...provided()];
    const within = async (outer: string, inner: string) => {
      const nested = ['run', ...ids(inner), '--', 'sh', '-c', call()];
      expect((await llmtap('run', ...ids(outer), '--', process.execPath, launcher, ...nested)).status).toBe(0);
      return (await listEvents(inner)).filter(({ name }) => name === '$ld:ai:tokens:total').length;
    };
    expect(await within('run-nested', 'run-nested')).toBe(1);
    expect(await within('run-outer', 'run-inner')).toBe(1);
    expect(await listEvents('run-outer')).not.toEqual([]);
  });

  it('tracker: lets feedback be said again, which by itself is refused', async () => {
    const { stdout } = await llmtap(
      ...['run', '--quiet', '--no-config', '--config-key', 'bot', '--run-id', 'run-f', '--', 'sh', '-c'],
      `echo "$LLMTAP_RESUMPTION_TOKEN"; ${process.execPath} ${launcher} feedback "$LLMTAP_RESUMPTION_TOKEN" positive`,
    );
    const token = stdout.trim();
    expect((await llmtap('feedback', token, 'negative')).status).toBe(1);
    expect((await llmtap('feedback', token, 'negative', '--dedupe', 'run')).status).toBe(1);
    expect((await llmtap('event', token, 'feedback', 'negative', '--dedupe', 'tracker')).status).toBe(0);
    expect((await listEvents('run-f')).map(({ name }) => name)).toEqual([
      ...['$ld:ai:feedback:user:positive', '$ld:ai:feedback:user:negative'],
    ]);
  });
});

describe('llmtap graph show of a graph in a file', () => {
  it('draws it as it is defined, before any run of it', async () => {
    const { stdout, stderr } = await llmtap('graph', 'show', 'untried', '--config', file);
    expect(stderr).toBe('');
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
      'untried · no run on record',
      '',
      'triage  no calls',
      '├─ billing  no calls  not taken',
      '│  └─ triage ↺  not taken',
      '└─ sales  no calls  not taken',
      '',
    ]);
  });

  it('draws beside what a run did what it did not come by', async () => {
    const ids = ['--graph-key', 'support', '--graph-run-id', 'graph-2'];
    const { stdout: token } = await inProject(
      ...['run', '--quiet', ...ids, '--', 'sh', '-c', 'printf %s "$LLMTAP_RESUMPTION_TOKEN"'],
    );
    for (const node of ['triage', 'billing']) {
      await llmtap('run', ...ids, '--config-key', node, ...provided(), '--', 'sh', '-c', call());
    }
    await llmtap('event', token, 'handoff', 'triage', 'billing');
    const { stdout } = await inProject('graph', 'show', 'support');
    const lines = stdout.split('\n').map((line) => line.trimEnd());
    expect(lines.slice(2, 6)).toEqual([
      expect.stringMatching(/^triage +1 call /),
      expect.stringMatching(/^├─ billing +1 call .*ms$/),
      expect.stringMatching(/^│ {2}└─ triage ↺ +not taken$/),
      expect.stringMatching(/^└─ sales +no calls {2}not taken$/),
    ]);
    expect((await inProject('graph', 'show', 'support', '--no-config')).stdout).not.toContain('sales');
  });

  it('says so where the file that is named has no such graph', async () => {
    const { status, stderr } = await llmtap('graph', 'show', 'bot', '--config', file);
    expect([status, stderr]).toEqual([2, expect.stringContaining('it has no such graph')]);
    expect((await inProject('graph', 'show', 'bot')).status).toBe(1);
  });
});

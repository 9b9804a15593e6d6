/** The examples of the README's "Configs and graphs", run as they stand there but for the provider they are led to. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTrackerLab, type TrackerLab } from './tracker-lab.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
let lab: TrackerLab;
let folder: string;

beforeAll(async () => {
  lab = await openTrackerLab();
  folder = mkdtempSync(join(tmpdir(), 'llmtap-readme-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'llmtap'));
  symlinkSync(join(root, 'node_modules', 'openai'), join(folder, 'node_modules', 'openai'));
});
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

function readBlocks(language: string): readonly string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.slice(
    readme.indexOf('### Configs and graphs'),
    readme.indexOf('### Config and graph trackers'),
  );
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, of]) => of === language)
    .map(([, , text]) => text ?? '');
}

const nodeEvents = ['tokens:total', 'tokens:input', 'tokens:output', 'duration:total', 'generation:success'].map(
  (name) => `$ld:ai:${name}`,
);

it('give a model of a file, and a graph whose nodes are recorded', { timeout: 60_000 }, async () => {
  const [yaml = ''] = readBlocks('yaml');
  const [model = '', graph = ''] = readBlocks('js');
  const agent = '{ _ldMeta: { enabled: true, mode: agent }, model: { name: gpt-4o }, instructions: Go on. }';
  const more = [
    `triage: ${agent}`,
    `billing: ${agent}`,
    'support: { root: triage, edges: { triage: [{ key: billing }] } }',
  ];
  writeFileSync(join(folder, 'llmtap.config.yaml'), `${yaml}${more.map((line) => `  ${line}\n`).join('')}`);
  const [imports, ask] = [
    graph.match(/^import .*$/gm)?.join('\n') ?? '',
    'const ask = async (config, input) => (await openai.responses.create({ model: config.model.name, instructions: config.instructions, input })).output_text;',
  ];
  const options = JSON.stringify({ ...lab.options, home: join(folder, 'home') });
  const program = [
    imports,
    model,
    ask,
    graph.replace(/^import .*$/gm, ''),
    'console.log(JSON.stringify(await tracker.records()));',
    'await tracker.close();',
  ]
    .join('\n')
    .replace('new LLMTracker()', `new LLMTracker(${options})`)
    // The second example goes on with the first's tracker.
    .replace('await tracker.close();\n', '');
  writeFileSync(join(folder, 'readme.mjs'), program);
  const env = { ...process.env, OPENAI_API_KEY: 'sk-of-a-test' };
  const { stdout } = await run(process.execPath, ['readme.mjs'], { cwd: folder, env });
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => line.startsWith('$ld:ai:')).map((line) => line.split(' ')[0])).toEqual([
    ...['$ld:ai:sdk:info', '$ld:ai:usage:create-chat', '$ld:ai:duration:total', '$ld:ai:generation:success'],
    ...['$ld:ai:tokens:total', '$ld:ai:tokens:input', '$ld:ai:tokens:output', '$ld:ai:usage:agent-graph'],
    ...[
      '$ld:ai:graph:handoff_success',
      '$ld:ai:graph:duration:total',
      '$ld:ai:graph:invocation_success',
      '$ld:ai:graph:path',
    ],
    '$ld:ai:graph:total_tokens',
    ...nodeEvents,
    ...nodeEvents,
  ]);
  expect(stdout).toMatch(/\[ 'triage', 'billing' \] [\d.]+/);
  const records = JSON.parse(lines.at(-1) ?? '[]') as readonly {
    readonly configKey: string;
    readonly graphKey: string | null;
  }[];
  expect(records.map(({ configKey, graphKey }) => [configKey, graphKey])).toEqual([
    ['support-bot', null],
    ['triage', 'support'],
    ['billing', 'support'],
  ]);
});

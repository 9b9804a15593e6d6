import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChild, type Lab, openLab } from './lab.js';

const children = [
  { name: 'openai', file: 'openai-child.js' },
  { name: '@anthropic-ai/sdk', file: 'anthropic-child.js' },
  { name: '@google/genai', file: 'gemini-child.js' },
  { name: '@aws-sdk/client-bedrock-runtime', file: 'bedrock-child.js' },
  { name: '@google/genai and @anthropic-ai/vertex-sdk', file: 'vertex-child.js' },
];

/** Request ids, dates and rate limits are those of one exchange, and not given again. */
function withoutHeaders(said: string): string {
  return said.replace(/^(.*) headers \[.*$/gm, '$1');
}

describe('a program on an official package, replayed with the provider’s server stopped', () => {
  let lab: Lab;
  const recorded = new Map<string, string>();
  beforeAll(async () => {
    lab = await openLab();
    for (const { file } of children) {
      const run = await lab.run([process.execPath, findChild(file)], { flags: ['--record', file, '--run-id', file] });
      expect(run).toMatchObject({ status: 0, stderr: expect.not.stringContaining('llmtap') });
      recorded.set(file, run.stdout);
    }
    await lab.provider.close();
  }, 120_000);
  afterAll(async () => await lab.close());

  it.each(children)('says byte for byte what it said: $name', async ({ file }) => {
    const flags = ['--replay', file, '--run-id', `${file}-again`];
    const run = await lab.runPlain([process.execPath, findChild(file)], { flags });
    expect(run).toMatchObject({ status: 0, stderr: expect.not.stringContaining('llmtap') });
    expect(run.stdout.length).toBeGreaterThan(300);
    expect(withoutHeaders(run.stdout)).toBe(withoutHeaders(recorded.get(file) ?? ''));
    const [first, second] = [lab.readCalls(file), lab.readCalls(`${file}-again`)];
    const read = (calls: typeof first) =>
      calls.map(({ api, model, usage, outcome, status }) => ({ api, model, usage, outcome, status }));
    expect(read(second)).toEqual(read(first));
    expect(second.every(({ cached }) => cached)).toBe(true);
  });

  it('is told on stderr what it asked that was not recorded, and where the nearest call differs', async () => {
    const ask = (text: string) =>
      `const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: ${JSON.stringify(text)} }] });
       fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
         .then(async (reply) => console.log(reply.status, await reply.text()));`;
    const run = await lab.runPlain([process.execPath, '-e', ask('What is this?')], {
      flags: ['--replay', 'openai-child.js'],
    });
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^412 /);
    expect(run.stderr).toMatch(
      /POST api\.openai\.com\/v1\/chat\/completions is not in the recording: the nearest recorded call is number \d+/,
    );
  });

  it.each([
    [['--replay', 'nothing'], 'there is no such recording'],
    [['--replay', '../../etc/passwd'], 'Could not use the name of a recording'],
    [['--replay', 'a', '--record', 'b'], 'Could not use --record and --replay together'],
    [['--normalise', 'rules.json'], 'nothing is recorded or replayed'],
    [['--record', 'a', '--normalise', 'rules.json'], 'Could not read --normalise rules.json'],
  ])('refuses %j with one sentence', async (flags, told) => {
    const run = await lab.runPlain([process.execPath, '-e', 'console.log(1)'], { flags });
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toContain(told);
  });
});

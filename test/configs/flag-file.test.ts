import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigClient } from '../../src/configs/config-client.js';
import { readFlagFile } from '../../src/configs/flag-file.js';
import { user } from '../fixtures/config-lab.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-flags-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

let folders = 0;
/** A folder with these files. */
function place(files: Readonly<Record<string, string>>): string {
  const folder = join(home, `f${++folders}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const yaml = `
flagValues:
  support-bot:
    _ldMeta: { enabled: true, variationKey: short, version: 3 }
    model: &model { name: gpt-4o-mini }
    provider: { name: openai }
    messages:
      - { role: system, content: 'Answer {{name}} in one sentence.' }
  triage:
    _ldMeta: { enabled: true, mode: agent }
    model: *model
    instructions: |
      Say yes,
      or no.
  support: { root: triage, edges: { triage: [] } }
`;

describe('a file of flags', () => {
  it('in YAML gives configs and graphs', async () => {
    const flags = await readFlagFile({ folder: place({ 'llmtap.config.yaml': yaml }) });
    expect(flags.flagKeys).toEqual(['support-bot', 'triage', 'support']);
    const client = new ConfigClient({ flags });
    const config = await client.completionConfig('support-bot', user, null, { name: 'Ann' });
    expect(config.messages).toEqual([{ role: 'system', content: 'Answer Ann in one sentence.' }]);
    expect(config.createTracker().getTrackData()).toMatchObject({
      variationKey: 'short',
      version: 3,
      modelName: 'gpt-4o-mini',
    });
    const graph = await client.agentGraph('support', user);
    expect(graph.rootNode()?.getConfig()).toMatchObject({
      model: { name: 'gpt-4o-mini' },
      instructions: 'Say yes,\nor no.\n',
    });
    expect((await client.completionConfig('none', user)).enabled).toBe(false);
  });

  it('in JSON gives the same, a byte order mark in front of it or not', async () => {
    const flagValues = { a: { _ldMeta: { enabled: true } }, n: null };
    const path = join(place({ 'flags.json': `\uFEFF${JSON.stringify({ flagValues })}` }), 'flags.json');
    const flags = await readFlagFile({ path });
    expect([flags.path, flags.flagKeys]).toEqual([path, ['a', 'n']]);
    expect([flags.variation('a', {}, 'spare'), flags.variation('n', {}, 'spare')]).toEqual([flagValues.a, null]);
    expect(['toString', '__proto__', 'b'].map((key) => flags.variation(key, {}, 'spare'))).toEqual([
      'spare',
      'spare',
      'spare',
    ]);
    expect(Object.isFrozen(flags.variation('a', {}, null))).toBe(true);
  });

  it('in YAML may have some ten thousands of flags', async () => {
    const lines = Array.from({ length: 40_000 }, (_, at) => `  flag-${at}: 1\n`);
    const flags = await readFlagFile({ folder: place({ 'llmtap.config.yaml': `flagValues:\n${lines.join('')}` }) });
    expect(flags.flagKeys).toHaveLength(40_000);
  });

  it('has its values in a key of any name', async () => {
    const path = join(place({ 'a.yml': 'flagValues: { __proto__: { root: a }, constructor: 1 }' }), 'a.yml');
    const flags = await readFlagFile({ path });
    expect(flags.variation('__proto__', {}, null)).toEqual({ root: 'a' });
    expect(flags.variation('constructor', {}, null)).toBe(1);
  });

  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]', ...'b c d e f g h'.split(' ')].map((line, i, all) =>
    i === 0
      ? line
      : `${line}: &${line} [${Array(10)
          .fill(`*${i === 1 ? 'a' : (all[i - 1] ?? '')}`)
          .join(', ')}]`,
  );

  it.each([
    ['no file', {}, 'a.json', 'ENOENT'],
    ['no YAML', { 'a.yaml': 'flagValues:\n  a: [secret' }, 'a.yaml', 'it is no YAML (line 2, column'],
    ['no JSON', { 'a.json': '{"flagValues": {"key": secret' }, 'a.json', 'it is no JSON'],
    ['two documents', { 'a.yaml': 'flagValues: {}\n---\nflagValues: {}' }, 'a.yaml', 'MULTIPLE_DOCS'],
    ['a key twice', { 'a.yaml': 'flagValues:\n  a: 1\n  a: 2' }, 'a.yaml', 'line 3, column 3: DUPLICATE_KEY'],
    ['a list', { 'a.yaml': '- a' }, 'a.yaml', 'it holds no object'],
    ['nothing', { 'a.yaml': '' }, 'a.yaml', 'it holds no object'],
    ['no flags', { 'a.yaml': 'flagValues: none' }, 'a.yaml', 'it has no "flagValues"'],
    [
      'something else',
      { 'a.json': '{"flagValues": {}, "flagvalues": {}}' },
      'a.json',
      'there is no "flagvalues" in it',
    ],
    ['a name of another kind', { 'a.txt': yaml }, 'a.txt', 'its name ends in none of'],
    [
      'aliases that grow without end',
      { 'a.yaml': `flagValues:\n  ${bomb.join('\n  ')}` },
      'a.yaml',
      'its aliases cannot',
    ],
    ['brackets as deep as no stack', { 'a.json': '['.repeat(200_000) }, 'a.json', 'it is no JSON'],
  ])('with %s is refused, and says why without quoting it', async (_, files, name, reason) => {
    const reading = readFlagFile({ path: join(place(files), name) });
    await expect(reading).rejects.toMatchObject({
      code: 'FLAGS_INVALID',
      message: expect.stringContaining(reason) as string,
    });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining('secret') as string });
  });

  it('that is none, or too large, is refused before it is read', async () => {
    const folder = place({ 'large.json': `"${'x'.repeat(17 * 1024 * 1024)}"` });
    await expect(readFlagFile({ path: join(folder, 'large.json') })).rejects.toThrow(
      'it is larger than 16777216 bytes',
    );
    mkdirSync(join(folder, 'folder.json'));
    await expect(readFlagFile({ path: join(folder, 'folder.json') })).rejects.toThrow('it is no file');
  });

  it('is looked for by its usual names, of which there is one', async () => {
    const folder = place({ 'llmtap.config.json': '{"flagValues": {"a": 1}}' });
    expect((await readFlagFile({ folder })).flagKeys).toEqual(['a']);
    writeFileSync(join(folder, 'llmtap.config.yml'), 'flagValues: {}');
    await expect(readFlagFile({ folder })).rejects.toMatchObject({
      code: 'FLAGS_INVALID',
      message: expect.stringContaining('are there') as string,
    });
    await expect(readFlagFile({ folder: place({}) })).rejects.toMatchObject({
      code: 'FLAGS_INVALID',
      message: expect.stringContaining('none of llmtap.config.yaml') as string,
    });
    await expect(readFlagFile({ file: 'a' } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('with values that hold themselves is read, and gives what can be used of it', async () => {
    const path = join(
      place({ 'a.yaml': 'flagValues:\n  a: &a { _ldMeta: { enabled: true }, model: { name: m, custom: *a } }' }),
      'a.yaml',
    );
    const client = new ConfigClient({ flags: await readFlagFile({ path }) });
    expect((await client.completionConfig('a', user)).model?.name).toBe('m');
  });
});

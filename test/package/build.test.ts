/** `npm run build` over a dist that an earlier build, or a person, has left: in a project of a few lines. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

let project: string;

beforeEach(async () => {
  project = mkdtempSync(join(tmpdir(), 'llmtap-build-'));
  for (const name of ['scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(root, name), join(project, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  mkdirSync(join(project, 'src'));
  write('index.ts', "export { one } from './one.js';\nexport const later = async () => await import('./later.js');\n");
  write('one.ts', "import hook from './hook.cjs';\nexport const one: number = hook.one;\n");
  write('later.ts', 'export const later = 2;\n');
  write('hook.cts', 'export = { one: 1 };\n');
  await build();
}, 60_000);
afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

const write = (name: string, text: string): void => writeFileSync(join(project, 'src', name), text);
const build = async (): Promise<unknown> => await run('npm', ['run', '-s', 'build'], { cwd: project });
const list = (): string[] =>
  readdirSync(join(project, 'dist'))
    .filter((name) => name !== '.tsbuildinfo')
    .sort();

const made = [
  ...['hook.cjs', 'hook.d.cts', 'index.cjs', 'index.d.cts', 'index.d.ts', 'index.js', 'later.d.ts', 'later.js'],
  ...['one.cjs', 'one.d.cts', 'one.d.ts', 'one.js'],
];

describe('a build', { timeout: 60_000 }, () => {
  it('copies what is imported statically, and only that', async () => {
    expect(list()).toEqual(made);
    const ask = "const m = require('./dist/index.cjs'); m.later().then(({ later }) => console.log(m.one, later))";
    expect((await run(process.execPath, ['-e', ask], { cwd: project })).stdout).toBe('1 2\n');
  });

  it('leaves nothing of a source that is gone', async () => {
    write('index.ts', 'export const one = 3;\n');
    for (const name of ['one.ts', 'later.ts', 'hook.cts']) rmSync(join(project, 'src', name));
    await build();
    expect(list()).toEqual(['index.cjs', 'index.d.cts', 'index.d.ts', 'index.js']);
  });

  it('leaves no copy of a module that is no longer imported statically', async () => {
    write('index.ts', "export const later = async () => await import('./one.js');\n");
    await build();
    expect(list()).toEqual(made.filter((name) => name !== 'one.cjs' && name !== 'one.d.cts'));
  });

  it('makes again what was deleted, and follows what was changed', async () => {
    for (const name of ['one.js', 'index.cjs', 'hook.d.cts']) rmSync(join(project, 'dist', name));
    write('later.ts', 'export const later = 4;\n');
    await build();
    expect(list()).toEqual(made);
    expect(readFileSync(join(project, 'dist', 'later.js'), 'utf8')).toContain('later = 4');
  });
});

/** What is published: the packed files, in a project that has nothing else of ours. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProviderProcess, type ProviderProcess } from '../fixtures/provider-process.js';
import { listAnyTypes } from './list-any-types.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

let project: string;
let provider: ProviderProcess;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'llmtap-package-'));
  provider = await openProviderProcess();
  // `--ignore-scripts`: the build has been made, and is what is tested.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: root });
  const [archive = ''] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
  mkdirSync(join(project, 'node_modules', 'llmtap'), { recursive: true });
  await run('tar', ['-xzf', archive, '--strip-components=1', '-C', 'node_modules/llmtap'], { cwd: project });
  for (const name of readdirSync(modules)) {
    if (!name.startsWith('.') && name !== 'llmtap')
      symlinkSync(join(modules, name), join(project, 'node_modules', name));
  }
});
afterAll(async () => {
  await provider.close();
  rmSync(project, { recursive: true, force: true });
});

/** Runs a program of the project's; what it prints, as JSON. */
async function runProgram(name: string, text: string): Promise<unknown> {
  writeFileSync(join(project, name), text);
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, LLMTAP_HOME: join(project, `home of ${name}`) };
  const { stdout } = await run(process.execPath, [name], { cwd: project, env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const use = (): string => `
async function use(LLMTracker, runId) {
  const children = await import('node:child_process');
  const url = 'https://api.openai.com/v1/chat/completions';
  const ask = "fetch('" + url + "', { method: 'POST', headers: { authorization: 'Bearer k', 'content-type': 'application/json' }," +
    " body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }) }).then((r) => r.text())";
  const options = { connectTo: [':443:127.0.0.1:${provider.port}'], upstreamCa: ${JSON.stringify(provider.caPath)} };
  return await LLMTracker.run({ ...options, runId }, async (tracker) => {
    await (0, eval)(ask);
    children.execFileSync(process.execPath, ['-e', ask]);
    const records = await tracker.records();
    return records.map(({ runId, status, usage }) => [runId, status, usage.inputTokens]);
  });
}
`;

const two = (runId: string) => [
  [runId, 200, 1],
  [runId, 200, 1],
];

interface Loaded {
  readonly changed: readonly string[];
  readonly added: readonly string[];
  /** Types of the asynchronous resources made: threads, sockets, timers, also those that hold nothing open. */
  readonly made: readonly string[];
  readonly listened: readonly unknown[];
  readonly listenedThen: readonly unknown[];
}

/** What reading modules from disk makes, and this test's own wait. */
const loading = new Set([
  'PROMISE',
  'FSREQPROMISE',
  'FSREQCALLBACK',
  'FILEHANDLE',
  'FILEHANDLECLOSEREQ',
  'TickObject',
  'Immediate',
]);

describe('the package', () => {
  it('imported sees the calls of a scope and of its synchronous child', async () => {
    const text = `import { LLMTracker } from 'llmtap';${use()} console.log(JSON.stringify(await use(LLMTracker, 'esm')));`;
    expect(await runProgram('esm.mjs', text)).toEqual(two('esm'));
  });

  it('required does the same', async () => {
    const text = `const { LLMTracker } = require('llmtap');${use()} use(LLMTracker, 'cjs').then((r) => console.log(JSON.stringify(r)));`;
    expect(await runProgram('cjs.cjs', text)).toEqual(two('cjs'));
  });

  it('imported and required in one program serves both, each its own calls', async () => {
    const text = `import { createRequire } from 'node:module';
      import { getCurrentSessionProxy, LLMTracker } from 'llmtap';
      const required = createRequire(import.meta.url)('llmtap');
      ${use()}
      if (required.LLMTracker === LLMTracker) throw new Error('one copy');
      const [a, b] = await Promise.all([use(LLMTracker, 'a'), use(required.LLMTracker, 'b')]);
      const seen = await LLMTracker.run({}, () => getCurrentSessionProxy()?.url === required.getCurrentSessionProxy()?.url);
      console.log(JSON.stringify({ a, b, seen, after: getCurrentSessionProxy() ?? null }));`;
    expect(await runProgram('both.mjs', text)).toEqual({ a: two('a'), b: two('b'), seen: true, after: null });
  });

  it.each(['import', 'require'])('does nothing when it is loaded by %s', async (way) => {
    const load = way === 'import' ? "await import('llmtap')" : "createRequire(import.meta.url)('llmtap')";
    const text = `
      import { createHook } from 'node:async_hooks';
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      const watched = ['net', 'tls', 'http', 'https', 'http2', 'child_process', 'worker_threads', 'diagnostics_channel'];
      const holders = () => {
        const modules = watched.map((name) => require('node:' + name));
        const prototypes = modules.flatMap((m) => Object.values(m)).flatMap((v) => (typeof v === 'function' && v.prototype ? [v.prototype] : []));
        return [globalThis, process, ...modules, ...prototypes];
      };
      holders();
      const snapshot = () => holders().map((holder) => Reflect.ownKeys(holder).map((key) => [key, Object.getOwnPropertyDescriptor(holder, key)]));
      const before = snapshot();
      const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
      // What Node makes for its own loading of modules is made before.
      await import('data:text/javascript,');
      const listened = listeners();
      const made = new Set();
      const hook = createHook({ init: (_id, type) => made.add(type) }).enable();
      ${load};
      await new Promise((resolve) => setImmediate(resolve));
      hook.disable();
      const after = snapshot();
      const same = (a, b) => ['value', 'get', 'set', 'writable', 'enumerable', 'configurable'].every((k) => Object.is(a?.[k], b?.[k]));
      const changed = before.flatMap((list, i) => list.filter(([key, d]) => !same(d, new Map(after[i]).get(key))).map(([key]) => String(key)));
      const added = after.flatMap((list, i) => list.filter(([key]) => !new Map(before[i]).has(key)).map(([key]) => String(key)));
      console.log(JSON.stringify({ changed, added, made: [...made], listened, listenedThen: listeners() }));`;
    const loaded = (await runProgram(`load-${way}.mjs`, text)) as Loaded;
    expect({ ...loaded, made: loaded.made.filter((type) => !loading.has(type)) }).toEqual({
      ...{ changed: [], added: [], made: [] },
      ...{ listened: loaded.listened, listenedThen: loaded.listened },
    });
  });
});

const consumer = `
import { type CallRecord, LLMTracker, TrackerError } from 'llmtap';

export async function main(): Promise<number> {
  const tracker = new LLMTracker({ router: ({ requestedModel }) => (requestedModel === 'a' ? 'b' : null) });
  const text: string = await tracker.track({ dataId: '1' }, async (session) => session.proxy.url);
  const length: number = await tracker.track(() => text.length);
  const usage: number | null | undefined = (await tracker.getUsage({ dataId: null }))['m']?.inputTokens;
  const models: readonly (string | null)[] = (await tracker.records()).map((record: CallRecord) => record.model);
  // @ts-expect-error: no such option
  new LLMTracker({ confgKey: 'x' });
  if (usage === 0) throw new TrackerError('OPTION_INVALID', 'x', { hint: 'y' });
  return length + models.length;
}
`;

describe('its types', () => {
  it.each([
    ['as an ES module', 'esm.mts', 'nodenext', 'nodenext'],
    ['as CommonJS', 'cjs.cts', 'nodenext', 'nodenext'],
    ['for a bundler', 'bundled.ts', 'esnext', 'bundler'],
  ])('are strict: %s', { timeout: 90_000 }, async (_how, name, module, moduleResolution) => {
    writeFileSync(join(project, name), consumer);
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
      ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true },
    };
    const config = join(project, `tsconfig.${name}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [name] }));
    const tsc = join(modules, 'typescript', 'bin', 'tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', config], { cwd: project }).catch(
      (error: { readonly stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  it.each(['index.d.ts', 'index.d.cts'])('say nowhere any: %s', { timeout: 90_000 }, (name) => {
    const dist = join(project, 'node_modules', 'llmtap', 'dist');
    expect(listAnyTypes(join(dist, name), dist)).toEqual([]);
  });

  it('would be found saying any, written or meant', { timeout: 90_000 }, () => {
    const folder = join(project, 'leaky');
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'index.d.ts'),
      "export { C } from './c.js';\nexport type T = { deep: { list: any[] } };\n",
    );
    const members = ['meant(x: ReturnType<typeof JSON.parse>): void;', 'untyped;', 'private hidden;', 'fine: unknown;'];
    writeFileSync(join(folder, 'c.d.ts'), `export declare class C {\n${members.join('\n')}\n}\n`);
    expect([...listAnyTypes(join(folder, 'index.d.ts'), folder)].sort()).toEqual([
      'c.d.ts:2: ReturnType<typeof JSON.parse>',
      'c.d.ts:3: untyped;',
      'index.d.ts:2: any',
    ]);
  });
});

describe('the API page', () => {
  it('is what the docstrings make', { timeout: 90_000 }, async () => {
    const typedoc = join(modules, '.bin', 'typedoc');
    const out = join(project, 'docs');
    await run(typedoc, ['--out', out], { cwd: root });
    expect(readFileSync(join(root, 'docs', 'api.md'), 'utf8')).toBe(readFileSync(join(out, 'api.md'), 'utf8'));
  });
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

interface SourceFile {
  /** Path below `src`, with forward slashes. */
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

const files: readonly SourceFile[] = listFiles(src)
  .filter((path) => /\.c?ts$/.test(path))
  .map((path) => {
    const text = readFileSync(path, 'utf8');
    const below = relative(src, path).split(sep).join('/');
    const specifiers = [
      ...text.matchAll(
        /^(?:import|export) (?:type )?(?:[\w$*]+(?: as [\w$]+)?|\{[^}]*\})(?:, ?\{[^}]*\})? from '([^']+)'/gm,
      ),
      ...text.matchAll(/\b(?:import|require)\('([^'\n]+)'\)|^import '([^']+)'/gm),
    ].map((match) => match[1] ?? '');
    return { path: below, folder: below.includes('/') ? (below.split('/')[0] ?? '') : '', text, imports: specifiers };
  });

/** Which sibling folders a folder may import besides `core`. House rules: `src/README.md`, "Who may import whom". */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  providers: [],
  call: ['providers', 'routing'],
  ca: [],
  http2: [],
  proxy: ['call', 'ca', 'http2'],
  storage: [],
  cache: [],
  replay: ['cache'],
  estimate: [],
  exporters: [],
  selection: ['pricing'],
  trackers: [],
  graph: ['trackers'],
  configs: ['trackers', 'graph', ''],
  activation: [],
  host: [
    ...[
      'providers',
      'call',
      'ca',
      'proxy',
      'storage',
      'routing',
      'pricing',
      'estimate',
      'exporters',
      'cache',
      'replay',
    ],
    'trackers',
    'activation',
  ],
  cli: ['host', 'storage', 'ca', 'activation', 'providers', 'cache', 'trackers', 'routing', 'configs', 'graph'],
  // The agent side: what imports it loads neither host nor ledger, but in the thread that `worker/entry.ts` is.
  worker: ['host', 'ca', 'storage'],
  tracker: ['activation', 'worker', 'providers', 'trackers', 'routing', ''],
  '': ['tracker', 'activation', 'selection', 'host', 'storage', 'trackers', 'graph', 'configs'],
};

/** One door per package: the only files that may import it. */
const doors: Readonly<Record<string, RegExp>> = {
  'http-mitm-proxy': /^proxy\/mitm\.ts$/,
  undici: /^(proxy\/upstream|activation\/dispatcher|gateway\/client)\.ts$/,
  'node-forge': /^ca\/asn1\.ts$/,
  'system-ca': /^ca\//,
  'env-paths': /^ca\/paths\.ts$/,
  'better-sqlite3': /^storage\/database\.ts$/,
  'gpt-tokenizer': /^estimate\/tokenizer\.ts$/,
  '@pydantic/genai-prices': /^pricing\/genai-prices\.ts$/,
  '@smithy/core': /^providers\/wire\/event-stream-codec\.ts$/,
  ...Object.fromEntries(
    ['api', 'api-logs', 'sdk-trace-base', 'sdk-metrics', 'sdk-logs', 'resources', 'exporter-trace-otlp-proto']
      .concat('exporter-metrics-otlp-proto', 'exporter-logs-otlp-proto')
      .map((name) => [`@opentelemetry/${name}`, /^exporters\/otlp\/sdk\.ts$/]),
  ),
  mustache: /^configs\/interpolate\.ts$/,
  yaml: /^configs\/read-yaml\.ts$/,
  fzstd: /^providers\/wire\/zstd-decoder\.ts$/,
  commander: /^cli\//,
  '@commander-js/extra-typings': /^cli\//,
  picocolors: /^cli\/colour\.ts$/,
  'cli-table3': /^cli\/table\.ts$/,
  'cross-spawn': /^cli\/run\//,
};

const builtins = new Set(builtinModules);

/** `undici` of `undici/lib/dispatcher/pool.js`, `@scope/name` of anything below it. */
function readPackageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function findSibling(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = join('/', file.path, '..', specifier).split(sep).join('/').slice(1);
  return target.includes('/') ? target.split('/')[0] : '';
}

describe('the house', () => {
  it('has source files to look at', () => {
    expect(files.length).toBeGreaterThan(20);
  });

  it('lets a folder import core, itself, and what is written down, nothing else', () => {
    const broken = files.flatMap((file) =>
      file.imports.flatMap((specifier) => {
        const sibling = findSibling(file, specifier);
        if (sibling === undefined || sibling === file.folder) return [];
        if (sibling === 'core' && file.folder !== 'core') return [];
        if (mayImport[file.folder]?.includes(sibling)) return [];
        return [
          `src/${file.path} imports ${specifier}: "${file.folder}" may import core${(mayImport[file.folder] ?? []).map((name) => `, ${name}`).join('')} and nothing else.`,
        ];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('keeps host, ledger and packages out of what importing the package loads', () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const loaded = new Set<string>();
    const left = ['index.ts'];
    const packages: string[] = [];
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const file = byPath.get(path);
      if (file === undefined || loaded.has(path)) continue;
      loaded.add(path);
      for (const [, specifier = ''] of stripComments(file.text).matchAll(
        /^(?:import|export) (?!type )[^;]*? from '([^']+)'/gm,
      )) {
        if (specifier.startsWith('.')) left.push(join('/', path, '..', specifier).slice(1).replace(/\.js$/, '.ts'));
        else if (!specifier.startsWith('node:')) packages.push(`${path}: ${specifier}`);
      }
    }
    expect(loaded.size).toBeGreaterThan(15);
    expect(packages).toEqual([]);
    const folders = new Set([...loaded].map((path) => path.split('/').slice(0, -1)[0] ?? ''));
    expect([...folders].sort()).toEqual([
      '',
      'activation',
      'configs',
      'core',
      'graph',
      'routing',
      'selection',
      'tracker',
      'trackers',
      'worker',
    ]);
    expect(loaded.has('worker/entry.ts')).toBe(false);
  });

  it('keeps core free of packages and of everything of Node', () => {
    const broken = files
      .filter((file) => file.folder === 'core')
      .flatMap((file) =>
        file.imports.filter((specifier) => !specifier.startsWith('.')).map((name) => `${file.path}: ${name}`),
      );
    expect(broken).toEqual([]);
  });

  it('has one door per npm package, and none without a rule', () => {
    const broken = files.flatMap((file) =>
      file.imports
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .flatMap((name) => {
          const rule = doors[readPackageName(name)];
          if (rule === undefined) return [`src/${file.path} imports ${name}, which has no door: name one here.`];
          return rule.test(file.path) ? [] : [`src/${file.path} imports ${name}: only ${rule.source} may.`];
        }),
    );
    expect(broken).toEqual([]);
  });

  it('has no dependency that nothing imports', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const used = new Set(files.flatMap((file) => file.imports).map(readPackageName));
    // Typings of commander come with their own package, which brings commander as its peer.
    const unused = Object.keys(dependencies).filter((name) => !used.has(name) && name !== 'commander');
    expect(unused).toEqual([]);
  });

  it('has a lockfile that names the optional packages of every platform, or npm ci refuses it', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => packages[`node_modules/${name}`] === undefined);
    expect(missing, 'run: node .ci/complete-lockfile.js').toEqual([]);
  });

  it('names Node modules by node:', () => {
    const broken = files.flatMap((file) =>
      file.imports.filter((name) => builtins.has(name)).map((name) => `${file.path}: ${name}`),
    );
    expect(broken).toEqual([]);
  });

  it('starts processes in activation and cli only', () => {
    const broken = files
      .filter((file) => file.imports.includes('node:child_process') && !/^(activation|cli)\//.test(file.path))
      .map((file) => file.path);
    expect(broken).toEqual([]);
  });

  it('reads the process environment in cli, the CA paths, the hook, for children, for test suites, and where Node reads it for TLS', () => {
    const mayRead =
      /^(cli\/|ca\/paths\.ts$|with-cassette\.ts$|activation\/(node-hook\.cts|inherited-env\.ts|traffic\/connect-wire\.ts)$)/;
    const broken = files
      .filter((file) => /\bprocess\.env\b/.test(stripComments(file.text)))
      .filter((file) => !mayRead.test(file.path))
      .map((file) => file.path);
    expect(broken).toEqual([]);
  });

  it('prints from cli alone', () => {
    const broken = files
      .filter((file) => file.folder !== 'cli')
      .filter((file) => /\bconsole\.|process\.std(out|err)\b/.test(stripComments(file.text)))
      .map((file) => file.path);
    expect(broken).toEqual([]);
  });

  it('has no default exports and no any', () => {
    const broken = files
      .filter((file) =>
        /^export default|:\s*any\b|\bas any\b|@ts-(ignore|nocheck|expect-error)/m.test(stripComments(file.text)),
      )
      .map((file) => file.path);
    expect(broken).toEqual([]);
  });

  it('keeps files under 250 lines, or says in the first line why not', () => {
    const broken = files
      .map((file) => ({ ...file, lines: file.text.split('\n').length }))
      .filter((file) => file.lines > 251 && !file.text.startsWith('// Longer than'))
      .map((file) => `${file.path}: ${file.lines} lines`);
    expect(broken).toEqual([]);
  });

  it('names no file for nothing in particular', () => {
    expect(
      files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.)/.test(file.path)).map((file) => file.path),
    ).toEqual([]);
  });
});

describe('the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const read = (path: string): string => readFileSync(join(src, path), 'utf8');

  it('gives the test command in the line .ci/run takes it from', () => {
    expect(readme.split('\n')).toContain('$ npm ci && npm test');
  });

  it('names every error code', () => {
    const codes = [...read('core/errors.ts').matchAll(/^\s+\| '([A-Z0-9_]+)'/gm)].map((match) => match[1] ?? '');
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });

  it('names every event', () => {
    const types = [...read('core/events.ts').matchAll(/type: '([a-z.]+)'/g)].map((match) => match[1] ?? '');
    expect(types.length).toBeGreaterThan(3);
    expect(types.filter((type) => !readme.includes(`\`${type}\``))).toEqual([]);
  });

  it('names every event of a run', () => {
    const names = [...read('core/run-events.ts').matchAll(/'(\$ld:ai:[^']+)'/g)].map((match) => match[1] ?? '');
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every field of the record', () => {
    const body = /export interface CallRecord[^{]*\{([\s\S]*?)\n\}/.exec(read('core/call-record.ts'))?.[1] ?? '';
    const fields = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map((match) => match[1] ?? '');
    expect(fields.length).toBeGreaterThan(25);
    expect(fields.filter((field) => !readme.includes(`\`${field}\``))).toEqual([]);
  });
});

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:])\/\/.*$/gm, '$1');
}

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openAuthority } from '../../src/ca/authority.js';
import { makeCaPaths } from '../../src/ca/paths.js';
import { type CompiledSources, compileSources } from './compiled-sources.js';
import { countCertificates, listFiles, makeTemporaryHome } from './temporary-home.js';

let sources: CompiledSources;
beforeAll(() => {
  sources = compileSources();
});
afterAll(() => sources.remove());

/**
 * Runs one function body in several processes. Each loads its modules, connects, and begins when all the others have:
 * `authority` and `bundle` are the modules, `home` the home. What the body returns is returned as JSON.
 */
async function runAtOnce(count: number, home: string, body: string): Promise<readonly unknown[]> {
  const arrived: Socket[] = [];
  const gate = createServer((socket) => {
    arrived.push(socket);
    if (arrived.length === count) for (const one of arrived) one.end('go');
  });
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  onTestFinished(() => void gate.close());
  const address = gate.address();
  const port = typeof address === 'object' && address !== null ? address.port : expect.fail('no port');
  const code = `
    import { once } from 'node:events';
    import { connect } from 'node:net';
    const authority = await import(${JSON.stringify(new URL('ca/authority.js', sources.url).href)});
    const bundle = await import(${JSON.stringify(new URL('ca/bundle.js', sources.url).href)});
    const home = ${JSON.stringify(home)};
    await once(connect(${port}, '127.0.0.1').resume(), 'end');
    process.stdout.write(JSON.stringify((() => { ${body} })()));
  `;
  return Promise.all(Array.from({ length: count }, () => runNode(code)));
}

function runNode(code: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', code], (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(error);
    });
  });
}

test('ten processes that start at once settle on one authority', async () => {
  const home = makeTemporaryHome();
  const body = 'const { certPem, keyPem } = authority.openAuthority(home); return [certPem, keyPem];';
  const pairs = await runAtOnce(10, home, body);
  expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(1);
  expect(readdirSync(makeCaPaths(home).folder).sort()).toEqual(['authority-1', 'llmtap-ca.pem']);
});

test('processes that renew at once settle on one authority, and the old key is gone', async () => {
  const home = makeTemporaryHome();
  const old = openAuthority(home);
  const lateMs = Date.parse(old.notAfter) - 86_400_000;
  const body = `const { certPem, keyPem } = authority.openAuthority(home, { nowMs: ${lateMs} }); return [certPem, keyPem];`;
  const pairs = await runAtOnce(6, home, body);
  expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(1);
  expect(existsSync(old.keyPath)).toBe(false);
  expect(readdirSync(makeCaPaths(home).folder).sort()).toEqual(['authority-1', 'authority-2', 'llmtap-ca.pem']);
});

test('processes that reset and open at once never see a key without its certificate', async () => {
  const home = makeTemporaryHome();
  const body = `
    const seen = [];
    for (let round = 0; round < 10; round++) {
      const isReset = (process.pid + round) % 3 === 0;
      seen.push((isReset ? authority.resetAuthority(home) : authority.openAuthority(home)).fingerprint256);
    }
    return seen;
  `;
  const seen = await runAtOnce(6, home, body);
  expect(seen.flat()).toHaveLength(60);
  expect(listFiles(home).filter((path) => path.endsWith('.tmp'))).toEqual([]);
  openAuthority(home);
});

test('processes that write one bundle at once leave it whole', async () => {
  const home = makeTemporaryHome();
  const paths = await runAtOnce(
    6,
    home,
    'return bundle.openBundle(home, authority.openAuthority(home), {}).bundlePath;',
  );
  const [path] = new Set(paths);
  if (typeof path !== 'string') expect.fail('no bundle');
  expect(new Set(paths).size).toBe(1);
  expect(readFileSync(path, 'utf8')).toMatch(/-----END CERTIFICATE-----\n$/);
  expect(countCertificates(path)).toBeGreaterThan(100);
  expect(readdirSync(join(home, 'ca')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeHookSettings } from '../../src/activation/child-env.js';
import { addRequire } from '../../src/activation/node-options.js';
import type { Origin } from '../../src/core/wire.js';
import {
  compileHook,
  http2Host,
  isNode18,
  nodePath,
  openTunnelLab,
  runChild,
  type TunnelLab,
  upstreamHost,
} from '../activation/tunnel-lab.js';

let lab: TunnelLab;
beforeAll(async () => {
  lab = await openTunnelLab();
});
afterAll(() => lab.close());
beforeEach(() => {
  lab.connects.length = 0;
});

function makeEnv(registered: readonly Origin[] = []): Record<string, string> {
  return {
    NODE_OPTIONS: addRequire(undefined, lab.hookPath),
    NODE_EXTRA_CA_CERTS: lab.caPath,
    LLMTAP_HOOK: makeHookSettings({ proxyUrl: lab.proxyUrl, noProxy: '', registered }),
  };
}

/** Prints what the promise of the script's last expression resolves to. */
function runScript(script: string, options: { env?: Record<string, string>; type?: 'module' | 'commonjs' } = {}) {
  const { env = makeEnv(), type = 'commonjs' } = options;
  return runChild([nodePath, `--input-type=${type}`, '-e', script], { env });
}

const origin = `https://${upstreamHost}`;
const readReply = `(reply) => { let text = ''; reply.on('data', (c) => { text += c; }).on('end', () => console.log(text)); }`;

/** Client styles: each asks for /styled with nothing but the hook to lead it. */
const styles: Readonly<Record<string, string>> = {
  'the built-in fetch': `fetch('${origin}/styled').then((r) => r.text()).then(console.log)`,
  'fetch of the undici package': `require('undici').fetch('${origin}/styled').then((r) => r.text()).then(console.log)`,
  'request of the undici package': `require('undici').request('${origin}/styled').then((r) => r.body.text()).then(console.log)`,
  'https.request with the default agent': `require('https').get('${origin}/styled', ${readReply})`,
  'https.request with an agent of its own': `const https = require('https');
    https.get('${origin}/styled', { agent: new https.Agent({ keepAlive: true }) }, ${readReply})`,
  'https.request without an agent': `require('https').get('${origin}/styled', { agent: false }, ${readReply})`,
  axios: `require('axios').get('${origin}/styled').then((r) => console.log(JSON.stringify(r.data)))`,
  'fetch in a Worker': `const { Worker } = require('worker_threads');
    new Worker("fetch('${origin}/styled').then((r) => r.text()).then(console.log)", { eval: true })`,
  'tls.connect with port, host and options': `const socket = require('tls').connect(443, '${upstreamHost}', {}, () => {
      socket.end('GET /styled HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'); socket.pipe(process.stdout); })`,
  'tls.connect with port and options': `const socket = require('tls').connect('443', { host: '${upstreamHost}' }, () => {
      socket.end('GET /styled HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'); socket.pipe(process.stdout); })`,
};

describe('a Node child with the hook', () => {
  // undici 7 does not load below Node 20.
  const loadable = Object.entries(styles).filter(([name]) => !isNode18 || !name.includes('undici package'));

  it.each(loadable)('goes through the proxy with %s', async (_name, script) => {
    const result = await runScript(script);
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain('"url":"/styled"');
    expect(lab.connects.map(({ authority }) => authority)).toEqual([`${upstreamHost}:443`]);
    expect(result.code).toBe(0);
  });

  it('goes through the proxy with a named ESM import of tls.connect', async () => {
    const script = `import { connect } from 'node:tls';
      const socket = connect({ host: '${upstreamHost}', port: 443 }, () => {
        console.log(socket.authorized, socket.servername, socket.getProtocol(), socket.remoteAddress, socket.remotePort); socket.end(); })`;
    const result = await runScript(script, { type: 'module' });
    expect(result).toMatchObject({
      code: 0,
      stdout: `true ${upstreamHost} TLSv1.3 127.0.0.1 ${lab.proxyPort}\n`,
      stderr: '',
    });
    expect(lab.connects).toHaveLength(1);
  });

  it('goes through the proxy with the ws package', async () => {
    const script = `const socket = new (require('ws'))('wss://${upstreamHost}/socket');
      socket.on('open', () => socket.send('echoed')).on('message', (m) => { console.log(String(m)); socket.close(); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'echoed\n', stderr: '' });
    expect(lab.connects).toHaveLength(1);
  });

  it('goes through the proxy with http2.connect', async () => {
    const script = `const session = require('http2').connect('https://${http2Host}');
      const stream = session.request({ ':path': '/' });
      stream.on('data', (c) => console.log(String(c))).on('end', () => session.close()); stream.end()`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'answered over h2\n', stderr: '' });
    expect(lab.connects.map(({ authority }) => authority)).toEqual([`${http2Host}:443`]);
  });

  it('makes sixty calls at once', async () => {
    const script = `Promise.all(Array.from({ length: 60 }, (_, i) => fetch('${origin}/' + i).then((r) => r.json())))
      .then((replies) => console.log(replies.every((r, i) => r.url === '/' + i)))`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('uses one tunnel for calls one after another on a kept-alive connection, and ends while it is idle', async () => {
    const script = `const https = require('https'); const agent = new https.Agent({ keepAlive: true });
      const get = () => new Promise((done) => https.get('${origin}/', { agent }, (r) => r.resume().on('end', done)));
      get().then(() => new Promise(setImmediate)).then(get).then(() => new Promise(setImmediate)).then(() => {
        const ended = process.hrtime.bigint();
        process.on('exit', () => console.log(Object.values(agent.freeSockets).flat().length, process.hrtime.bigint() - ended < 2_000_000_000n)); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: '1 true\n', stderr: '' });
    expect(lab.connects).toHaveLength(1);
  });

  it('ends while a kept-alive connection of fetch is idle', async () => {
    const script = `fetch('${origin}/').then((r) => r.text()).then(() => { const ended = process.hrtime.bigint();
        process.on('exit', () => console.log(process.hrtime.bigint() - ended < 2_000_000_000n)); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('uploads and downloads ten megabytes whole', async () => {
    const script = `fetch('${origin}/upload', { method: 'POST', body: Buffer.alloc(10_000_000, 'y') }).then((r) => r.json())
      .then((up) => fetch('${origin}/large').then((r) => r.arrayBuffer()).then((down) => console.log(up.bytes, down.byteLength)))`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: '10000000 10000000\n', stderr: '' });
  });

  it('resumes TLS sessions', async () => {
    const script = `const tls = require('tls');
      const first = tls.connect({ host: '${upstreamHost}', port: 443 }, () => first.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
      first.once('session', (session) => { first.destroy();
        const second = tls.connect({ host: '${upstreamHost}', port: 443, session }, () => {
          console.log(second.isSessionReused()); second.destroy(); }); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('reaches a child of the child that cleared the proxy variables', async () => {
    const script = `const env = { ...process.env, HTTPS_PROXY: '' };
      require('child_process').spawn(process.execPath, ['-e', "fetch('${origin}/grandchild').then((r) => r.text()).then(console.log)"], { env, stdio: 'inherit' })`;
    expect((await runScript(script)).stdout).toContain('/grandchild');
    expect(lab.connects).toHaveLength(1);
  });
});

describe('the hook beside other options', () => {
  it('loads from a path with blanks beside options that were there', async () => {
    const other = join(lab.folder, 'other "quoted".cjs');
    writeFileSync(other, 'globalThis.other = true;');
    const env = { ...makeEnv(), NODE_OPTIONS: addRequire(addRequire('--no-warnings', other), lab.hookPath) };
    const script = `fetch('${origin}/').then((r) => console.log(r.status, globalThis.other))`;
    expect(await runScript(script, { env })).toMatchObject({ code: 0, stdout: '200 true\n' });
    expect(lab.connects).toHaveLength(1);
  });

  it('patches once when two copies are loaded, and keeps name, arity and attributes', async () => {
    writeFileSync(join(lab.folder, 'second-hook.cjs'), compileHook());
    const copy = join(lab.folder, 'copy.cjs');
    writeFileSync(
      copy,
      `const before = require('tls').connect; require('./second-hook.cjs');
      globalThis.same = before === require('tls').connect;`,
    );
    const env = { ...makeEnv(), NODE_OPTIONS: addRequire(addRequire(undefined, lab.hookPath), copy) };
    const script = `const { value, ...attributes } = Object.getOwnPropertyDescriptor(require('tls'), 'connect');
      console.log(globalThis.same, value.name, value.length, JSON.stringify(attributes), Object.keys(require('tls')).length)`;
    const bare = `console.log(Object.keys(require('tls')).length)`;
    const keys = (await runScript(bare, { env: {} })).stdout;
    const attributes = '{"writable":true,"enumerable":true,"configurable":true}';
    expect((await runScript(script, { env })).stdout).toBe(`true connect 0 ${attributes} ${keys}`);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['no JSON', '{'],
    ['of another shape', '{"proxy":7}'],
  ])('leaves tls.connect the very original when its variable is %s', async (_name, setting) => {
    const keeper = join(lab.folder, 'keeper.cjs');
    writeFileSync(keeper, `globalThis.first = require('tls').connect;`);
    const NODE_OPTIONS = addRequire(addRequire(undefined, keeper), lab.hookPath);
    const env = { NODE_OPTIONS, ...(setting === undefined ? {} : { LLMTAP_HOOK: setting }) };
    const script = `console.log(globalThis.first === require('tls').connect, Object.getOwnPropertySymbols(require('tls')).length)`;
    expect(await runScript(script, { env })).toMatchObject({ code: 0, stdout: 'true 0\n', stderr: '' });
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Origin } from '../../src/core/wire.js';
import { type HookedOptions, runHooked } from '../activation/hooked-child.js';
import { isNode18, openTunnelLab, type TunnelLab } from '../activation/tunnel-lab.js';

let lab: TunnelLab;
beforeAll(async () => {
  lab = await openTunnelLab();
});
afterAll(() => lab.close());
beforeEach(() => {
  lab.connects.length = 0;
});
afterEach(() => {
  lab.refuseWith(null);
});

const runScript = (script: string, options: HookedOptions = {}) => runHooked(lab, script, options);

describe('a model registered on plain HTTP', () => {
  const styles: Readonly<Record<string, (url: string) => string>> = {
    'the built-in fetch': (url) => `fetch('${url}/local').then((r) => r.text()).then(console.log)`,
    'request of the undici package': (url) =>
      `require('undici').request('${url}/local').then((r) => r.body.text()).then(console.log)`,
    'http.get': (url) => `require('http').get('${url}/local', (r) => r.pipe(process.stdout))`,
    'http.get with an agent of its own': (url) =>
      `const http = require('http'); http.get('${url}/local', { agent: new http.Agent({ keepAlive: true }) }, (r) => r.pipe(process.stdout))`,
    'http.get without an agent': (url) =>
      `require('http').get('${url}/local', { agent: false }, (r) => r.pipe(process.stdout))`,
    axios: (url) => `require('axios').get('${url}/local').then((r) => console.log(JSON.stringify(r.data)))`,
    'net.connect and an early write': (url) => `const { port } = new URL('${url}');
      const socket = require('net').connect(Number(port), 'localhost', () => socket.setNoDelay(true));
      socket.end('GET /local HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'); socket.pipe(process.stdout)`,
  };

  const registered = (host: string): readonly Origin[] => [{ scheme: 'http', host, port: lab.plainPort }];

  // undici 7 does not load below Node 20.
  const loadable = Object.entries(styles).filter(([name]) => !isNode18 || !name.includes('undici package'));

  it.each(loadable)('is reached through the proxy with %s', async (_name, style) => {
    const url = `http://localhost:${lab.plainPort}`;
    const result = await runScript(style(url), { registered: registered('localhost') });
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain('"url":"/local"');
    expect(lab.connects.map(({ authority }) => authority)).toEqual([`localhost:${lab.plainPort}`]);
    expect(result.code).toBe(0);
  });

  it('is reached through the proxy with WebSocket and with a body of ten megabytes each way', async () => {
    const script = `const url = 'http://127.0.0.1:${lab.plainPort}';
      fetch(url + '/up', { method: 'POST', body: Buffer.alloc(10_000_000) }).then((r) => r.json()).then((up) =>
        fetch(url + '/large').then((r) => r.arrayBuffer()).then((down) => {
          const socket = new (require('ws'))(url.replace('http', 'ws'));
          socket.on('open', () => socket.send('e')).on('message', (m) => { console.log(up.bytes, down.byteLength, String(m)); socket.close(); }); }))`;
    const result = await runScript(script, { registered: registered('127.0.0.1') });
    expect(result).toMatchObject({ code: 0, stdout: '10000000 10000000 e\n', stderr: '' });
    expect(new Set(lab.connects.map(({ authority }) => authority))).toEqual(new Set([`127.0.0.1:${lab.plainPort}`]));
  });

  it('uses one tunnel for kept-alive calls and ends while it is idle', async () => {
    const script = `const http = require('http'); const agent = new http.Agent({ keepAlive: true });
      const get = () => new Promise((done) => http.get('http://localhost:${lab.plainPort}/', { agent }, (r) => r.resume().on('end', done)));
      get().then(() => new Promise(setImmediate)).then(get).then(() => { const ended = Date.now();
        process.on('exit', () => console.log(Date.now() - ended < 2000)); })`;
    const result = await runScript(script, { registered: registered('localhost') });
    expect(result).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
    expect(lab.connects).toHaveLength(1);
  });

  it('leaves every other host and port of plain connections alone', async () => {
    const script = `fetch('http://127.0.0.1:${lab.plainPort}/other').then((r) => r.text()).then(console.log)`;
    expect((await runScript(script, { registered: registered('localhost') })).stdout).toContain('/other');
    expect(lab.connects).toEqual([]);
  });

  it('gives the errors of the tunnel to the caller', async () => {
    lab.refuseWith('502 Bad Gateway');
    const script = `const url = 'http://localhost:${lab.plainPort}/';
      require('http').get(url).on('error', (error) => { console.log(error.code);
        fetch(url).catch((failure) => console.log(failure.cause.code)); })`;
    const result = await runScript(script, { registered: registered('localhost') });
    expect(result).toMatchObject({ code: 0, stdout: 'ECONNRESET\nECONNRESET\n', stderr: '' });
  });
});

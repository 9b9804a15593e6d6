import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HookedOptions, runHooked } from '../activation/hooked-child.js';
import { openTunnelLab, type TunnelLab, upstreamHost } from '../activation/tunnel-lab.js';

let lab: TunnelLab;
beforeAll(async () => {
  lab = await openTunnelLab();
});
afterAll(() => lab.close());
beforeEach(() => {
  lab.connects.length = 0;
});
afterEach(() => {
  lab.requireLogin(null);
  lab.refuseWith(null);
});

const runScript = (script: string, options: HookedOptions = {}) => runHooked(lab, script, options);

/** Prints every event of a `tls.connect` to the upstream, with the error's code and message. */
const watchEvents = `const seen = [];
  const socket = require('tls').connect({ host: '${upstreamHost}', port: 443, servername: '${upstreamHost}' });
  for (const name of ['connect', 'secureConnect', 'end', 'close']) socket.on(name, () => seen.push(name));
  socket.on('error', (error) => { seen.push(error.code); globalThis.error = error; });
  socket.on('close', () => console.log(seen.join(' ') + '\\n' + error.message));`;

const closedPort = 1;

describe('the hook when the tunnel does not open', () => {
  it('gives the error of the connection when no proxy listens, once, and closes', async () => {
    const result = await runScript(watchEvents, { proxyUrl: `http://127.0.0.1:${closedPort}` });
    const message = `connect ECONNREFUSED 127.0.0.1:${closedPort}`;
    expect(result).toMatchObject({ code: 0, stderr: '', stdout: `ECONNREFUSED close\n${message}\n` });
  });

  it('names the answer of a proxy that refuses', async () => {
    lab.refuseWith('502 Bad Gateway');
    const result = await runScript(watchEvents);
    const place = `llmtap: the session's proxy at 127.0.0.1:${lab.proxyPort}`;
    const message = `${place} answered CONNECT with "HTTP/1.1 502 Bad Gateway" for ${upstreamHost}:443`;
    expect(result).toMatchObject({ code: 0, stderr: '', stdout: `ECONNRESET close\n${message}\n` });
  });

  it('rejects fetch with that error as its cause', async () => {
    lab.refuseWith('502 Bad Gateway');
    const script = `fetch('https://${upstreamHost}/').catch((error) => console.log(error.message, error.cause.code))`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'fetch failed ECONNRESET\n', stderr: '' });
  });

  it('leaves the verdict on the certificate to the program', async () => {
    const refused = await runScript(watchEvents, { trusted: false });
    expect(refused.stdout).toMatch(/^connect (UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN) close\n/);
    const script = `require('https').get('https://${upstreamHost}/', { rejectUnauthorized: false }, (r) => { console.log(r.statusCode); r.resume(); })`;
    expect(await runScript(script, { trusted: false })).toMatchObject({ code: 0, stdout: '200\n' });
    const own = `require('https').get('https://${upstreamHost}/', { ca: require('fs').readFileSync(${JSON.stringify(lab.caPath)}) }, (r) => { console.log(r.statusCode); r.resume(); })`;
    expect(await runScript(own, { trusted: false })).toMatchObject({ code: 0, stdout: '200\n', stderr: '' });
  });

  it('lets a certificate of another name be refused', async () => {
    const script = `fetch('https://other.test/').catch((error) => console.log(error.cause.code))`;
    expect(await runScript(script)).toMatchObject({ stdout: 'ERR_TLS_CERT_ALTNAME_INVALID\n' });
  });
});

describe('the hook under way', () => {
  it('sends the credentials of the proxy URL with the first CONNECT', async () => {
    lab.requireLogin('sess:t%k n');
    const proxyUrl = `http://sess:t%25k%20n@127.0.0.1:${lab.proxyPort}`;
    const script = `fetch('https://${upstreamHost}/').then((r) => console.log(r.status))`;
    expect(await runScript(script, { proxyUrl })).toMatchObject({ code: 0, stdout: '200\n', stderr: '' });
    expect(lab.connects).toHaveLength(1);
  });

  it('aborts a call and closes its tunnel', async () => {
    const script = `const abort = new AbortController();
      const tunnels = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const call = require('https').get('https://${upstreamHost}/hang', { signal: abort.signal });
      call.on('error', (error) => console.log(error.name));
      call.on('socket', (socket) => {
        socket.on('secureConnect', () => { console.log(tunnels()); abort.abort(); });
        socket.on('close', () => setImmediate(() => console.log(tunnels()))); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: '1\nAbortError\n0\n', stderr: '' });
  });

  it('aborts fetch before its tunnel stands and while it waits for a reply', async () => {
    const script = `const asked = (signal) => fetch('https://${upstreamHost}/hang', { signal }).catch((error) => console.log(error.name));
      const early = new AbortController(); const late = new AbortController();
      asked(early.signal); early.abort(); asked(late.signal); setTimeout(() => late.abort(), 100)`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'AbortError\nAbortError\n', stderr: '' });
  });

  it('honours a signal and a time-out given to tls.connect', async () => {
    const script = `const tls = require('tls'); const abort = new AbortController();
      const socket = tls.connect({ host: '${upstreamHost}', port: 443, signal: abort.signal }, () => abort.abort());
      socket.on('error', (error) => console.log(error.name));
      socket.on('close', () => tls.connect({ host: '${upstreamHost}', port: 443, timeout: 20 })
        .on('timeout', function () { console.log('timeout'); this.destroy(); }))`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'AbortError\ntimeout\n', stderr: '' });
  });

  it('lets a process end whose only connection is unreferenced, and keeps one alive whose is not', async () => {
    const script = `const socket = require('tls').connect({ host: '${upstreamHost}', port: 443 }, () => {
      socket.unref(); socket.ref(); socket.setKeepAlive(true, 1000); socket.setNoDelay(true);
      setTimeout(() => socket.unref(), 60); const start = Date.now(); process.on('exit', () => console.log(Date.now() - start >= 50)); })`;
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('tells of the name it connects to as looked up, and goes on as a direct connection does', async () => {
    const script = `const told = []; const socket = require('tls').connect({ host: '${upstreamHost}', port: 443 });
      for (const name of ['connect', 'ready', 'secureConnect']) socket.on(name, () => told.push(name));
      socket.on('lookup', (error, address, family, host) => told.push('lookup', error, address, family, host));
      socket.on('secureConnect', () => { console.log(JSON.stringify(told)); socket.destroy(); })`;
    const told = ['lookup', null, '127.0.0.1', 4, upstreamHost, 'connect', 'ready', 'secureConnect'];
    expect(await runScript(script)).toMatchObject({ code: 0, stdout: `${JSON.stringify(told)}\n`, stderr: '' });
  });

  it('sends what was written before the connection stood, in order', async () => {
    const script = `const socket = require('tls').connect({ host: '${upstreamHost}', port: 443 });
      socket.write('GET /early HTTP/1.1\\r\\n'); socket.write('Host: x\\r\\n'); socket.end('Connection: close\\r\\n\\r\\n'); socket.pipe(process.stdout)`;
    expect((await runScript(script)).stdout).toContain('"url":"/early"');
  });
});

describe('a peer that closes before its reply was read', () => {
  it.each([[10], [16_000], [70_000], [300_000]])('loses none of %i bytes', async (bytes) => {
    const credentials = {
      key: readFileSync(join(lab.folder, 'leaf.key')),
      cert: readFileSync(join(lab.folder, 'leaf.pem')),
    };
    const server = tls.createServer(credentials, (socket) => {
      socket.once('data', () => socket.end(Buffer.alloc(bytes, 'x')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const script = `let received = 0;
      const socket = require('tls').connect({ host: '${upstreamHost}', port: ${port} }, () => {
        socket.write('go'); socket.pause(); setTimeout(() => socket.resume(), 200); });
      socket.on('data', (chunk) => { received += chunk.length; }).on('close', () => console.log(received))`;
    try {
      expect(await runScript(script)).toMatchObject({ code: 0, stdout: `${bytes}\n`, stderr: '' });
      expect(lab.connects).toHaveLength(1);
    } finally {
      server.close();
    }
  });
});

describe('what the hook leaves direct', () => {
  it('connects to loopback and to hosts of the list itself', async () => {
    const script = `const tls = require('tls'); let left = 6; const codes = [];
      const hosts = ['localhost', '127.0.0.1', '127.8.8.8', 'inner.corp.invalid', 'plain.invalid', '10.255.255.1'];
      for (const host of hosts) tls.connect({ host, port: ${closedPort}, timeout: 50, lookup: (name, options, done) => done(new Error('looked up ' + name)) })
        .on('timeout', function () { this.destroy(new Error('dialled ' + host)); })
        .on('error', (error) => { codes.push(host); if (--left === 0) console.log(codes.length); })`;
    const result = await runScript(script, {
      noProxy: `.corp.invalid, plain.invalid:${closedPort} 10.0.0.0/8`,
    });
    expect(result).toMatchObject({ code: 0, stdout: '6\n', stderr: '' });
    expect(lab.connects).toEqual([]);
  });

  it('takes a listed port and a longer name as no match', async () => {
    const script = `fetch('https://${upstreamHost}/').then((r) => console.log(r.status))`;
    const noProxy = `${upstreamHost}:8443,vider.test,11.0.0.0/8,[::1]:443,fd00::/8,2001:db8::1,:443,/,.`;
    expect(await runScript(script, { noProxy })).toMatchObject({ code: 0, stdout: '200\n' });
    expect(lab.connects).toHaveLength(1);
  });

  it('lets unix sockets, ready sockets and mistakes go the old way', async () => {
    const script = `const tls = require('tls'); const say = (error) => console.log(error.code);
      tls.connect({ path: '/nonexistent/llmtap.sock' }).on('error', (error) => { say(error);
        try { tls.connect({ host: 'x', port: 99999 }); } catch (error) { say(error); }
        const ready = require('net').connect(${closedPort}, '127.0.0.1').on('error', () => undefined);
        tls.connect({ socket: ready, host: 'x' }).on('error', say); })`;
    const { stdout } = await runScript(script);
    expect(stdout).toBe('ENOENT\nERR_SOCKET_BAD_PORT\nECONNREFUSED\n');
    expect(lab.connects).toEqual([]);
  });
});

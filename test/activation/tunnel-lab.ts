import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { WebSocketServer } from 'ws';

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SeenConnect {
  readonly authority: string;
  readonly authorization: string | undefined;
}

export interface TunnelLab {
  /** A folder of the test's own, with a space in its name. */
  readonly folder: string;
  /** The hook compiled from its source. */
  readonly hookPath: string;
  readonly caPath: string;
  readonly proxyUrl: string;
  readonly proxyPort: number;
  /** A plain HTTP server on loopback, for models registered there. */
  readonly plainPort: number;
  readonly connects: SeenConnect[];
  /** Absolute-form requests for plain HTTP, as `METHOD URL`. */
  readonly forwarded: string[];
  /** What reached the TLS upstream, as `METHOD PATH`. */
  readonly asked: string[];
  /** `user:password` asked for from now on, or nothing. */
  requireLogin(login: string | null): void;
  /** Status line text for every CONNECT from now on, or nothing. */
  refuseWith(status: string | null): void;
  close(): Promise<void>;
}

/** The Node that children run on: another one than this, to try the hook there, with `LLMTAP_TEST_NODE=/path/to/node`. */
export const nodePath: string = process.env.LLMTAP_TEST_NODE ?? process.execPath;
export const isNode18: boolean = execFileSync(nodePath, ['--version'], { encoding: 'utf8' }).startsWith('v18.');

/** Names of the TLS upstream's certificate; `h2.provider.test` answers HTTP/2 only. */
export const upstreamHost = 'api.provider.test';
export const http2Host = 'h2.provider.test';

/** Real servers: a TLS upstream (HTTP/1.1 and WebSocket), one for HTTP/2, a plain one, and a CONNECT proxy to them. */
export async function openTunnelLab(): Promise<TunnelLab> {
  const folder = join(mkdtempSync(join(tmpdir(), 'llmtap-lab-')), 'with space');
  mkdirSync(folder);
  const credentials = makeCredentials(folder);
  const asked: string[] = [];
  const secure = https.createServer(credentials, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  openEcho(secure);
  const second = http2.createSecureServer(credentials);
  second.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('answered over h2');
  });
  const plain = http.createServer(answer);
  openEcho(plain);
  const ports = await Promise.all([secure, second, plain].map(listen));
  const [securePort = 0, secondPort = 0, plainPort = 0] = ports;
  const state: ProxyState = { login: null, refusal: null, connects: [], forwarded: [], sockets: new Set() };
  const proxy = openProxy(state, (host, port) =>
    port === 443 ? (host === http2Host ? secondPort : securePort) : port,
  );
  const proxyPort = await listen(proxy);
  const hookPath = join(folder, 'node-hook.cjs');
  writeFileSync(hookPath, compileHook());
  return {
    folder,
    hookPath,
    caPath: join(folder, 'ca.pem'),
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    proxyPort,
    plainPort,
    connects: state.connects,
    forwarded: state.forwarded,
    asked,
    requireLogin: (login) => {
      state.login = login;
    },
    refuseWith: (status) => {
      state.refusal = status;
    },
    close: async () => {
      for (const socket of state.sockets) socket.destroy();
      await Promise.all([secure, second, plain, proxy].map((server) => new Promise((done) => server.close(done))));
      rmSync(join(folder, '..'), { recursive: true, force: true });
    },
  };
}

export function compileHook(): string {
  const source = readFileSync(resolve('src/activation/node-hook.cts'), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(source, { compilerOptions, fileName: 'node-hook.cts' }).outputText;
}

/** Runs a program to its end, without any proxy variable of this machine's own. */
export function runChild(
  command: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string; readonly signal?: AbortSignal },
): Promise<ChildResult> {
  const [program = '', ...args] = command;
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env: { ...makeBareEnv(), ...options.env }, signal: options.signal });
    const chunks = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      chunks.stderr += chunk.toString();
    });
    child.on('error', fail);
    child.on('close', (code, signal) => done({ code, signal, ...chunks }));
    child.stdin.end(options.input ?? '');
  });
}

/** This process's environment without what proxies, roots and Node options another tool may have set. */
export function makeBareEnv(): Record<string, string> {
  const unwanted = /^(.*_proxy|NODE_.*|.*CERT.*|.*CA_?BUNDLE|LLMTAP_.*|VITEST.*|GIT_.*|npm_config_.*|WGETRC|JAVA_.*)$/i;
  const kept = Object.entries(process.env).filter(([name, value]) => value !== undefined && !unwanted.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Whether a program of that name is on the PATH. */
export function hasProgram(...command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  try {
    execFileSync(program, args.length > 0 ? args : ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface ProxyState {
  login: string | null;
  refusal: string | null;
  readonly connects: SeenConnect[];
  readonly forwarded: string[];
  readonly sockets: Set<net.Socket>;
}

function openProxy(state: ProxyState, portFor: (host: string, port: number) => number): http.Server {
  const proxy = http.createServer((request, response) => {
    state.forwarded.push(`${request.method} ${request.url}`);
    const { port, pathname } = new URL(request.url ?? '');
    const onward = http.request(
      { host: '127.0.0.1', port, path: pathname, method: request.method ?? 'GET' },
      (answered) => {
        response.writeHead(answered.statusCode ?? 502);
        answered.pipe(response);
      },
    );
    request.pipe(onward);
  });
  proxy.on('connection', (socket) => state.sockets.add(socket).size && socket.on('error', () => socket.destroy()));
  proxy.on('connect', (request, client: net.Socket, head) => {
    const authorization = request.headers['proxy-authorization'];
    const wanted = state.login === null ? undefined : `Basic ${Buffer.from(state.login).toString('base64')}`;
    if (wanted !== undefined && authorization !== wanted) {
      client.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="t"\r\nContent-Length: 0\r\n\r\n',
      );
      return;
    }
    state.connects.push({ authority: request.url ?? '', authorization });
    if (state.refusal !== null) {
      client.end(`HTTP/1.1 ${state.refusal}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = net.connect(
      { host: '127.0.0.1', port: portFor(hostname, port === '' ? 80 : Number(port)) },
      () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        client.pipe(upstream).pipe(client);
      },
    );
    state.sockets.add(upstream);
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  return proxy;
}

function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    if (request.url === '/hang') return;
    if (request.url === '/large') {
      response.end(Buffer.alloc(10_000_000, 'x'));
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, method: request.method, bytes }));
  });
}

function openEcho(server: http.Server | https.Server): void {
  new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
}

function listen(server: net.Server): Promise<number> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function makeCredentials(folder: string): { readonly key: string; readonly cert: string } {
  const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=lab root');
  run('req', ...curve, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=lab leaf');
  writeFileSync(join(folder, 'leaf.ext'), `subjectAltName=DNS:${upstreamHost},DNS:${http2Host},DNS:localhost\n`);
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '7', '-days', '2', '-extfile', 'leaf.ext'];
  run('x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.pem', ...sign);
  return { key: readFileSync(join(folder, 'leaf.key'), 'utf8'), cert: readFileSync(join(folder, 'leaf.pem'), 'utf8') };
}

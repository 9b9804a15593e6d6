import './own-undici.js';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import type { CallRecord } from '../../../src/core/call-record.js';
import type { Host, OpenSession } from '../../../src/core/host.js';
import { readHeaderValue } from '../../../src/core/in-process.js';
import { openHost } from '../../../src/host/host.js';
import { makeTestScope, type TestScope } from '../../fixtures/scoped-session.js';
import { makeTestCertificate } from '../../fixtures/upstream.js';
import { makeClient } from './clients.js';
import { openReachingDoor, type ReachingDoor } from './reaching-door.js';
import { readError } from './read-error.js';
import { openTrafficLab, type TrafficLab } from './traffic-lab.js';

let lab: TrafficLab;
let door: ReachingDoor;
let scope: TestScope;
/** A scope of a real host's, which trusts the lab's provider as this process does. */
let real: {
  readonly host: Host;
  readonly session: OpenSession;
  readonly scope: TestScope;
  readonly records: CallRecord[];
};
let stranger: https.Server;
const urls: Record<string, string> = {};

/** A port nobody listens on any more. */
async function findClosedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

beforeAll(async () => {
  lab = await openTrafficLab();
  const { key, cert } = makeTestCertificate('localhost');
  stranger = https.createServer({ key, cert }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const strangerPort = (stranger.address() as AddressInfo).port;
  const [closed, closedPlain] = [await findClosedPort(), await findClosedPort()];
  Object.assign(urls, {
    'nobody listens at any of its addresses': `https://localhost:${closed}/v1/chat/completions`,
    'nobody listens at its address': `https://127.0.0.1:${closed}/v1/chat/completions`,
    'nobody listens, without TLS': `http://127.0.0.1:${closedPlain}/v1/chat/completions`,
    'its name is unknown': 'https://nowhere.invalid/v1/chat/completions',
    'its certificate is by nobody we trust': `https://localhost:${strangerPort}/v1/chat/completions`,
    "its certificate is another's": `https://127.0.0.1:${lab.rig.upstream.port}/v1/chat/completions`,
  });
  door = await openReachingDoor(new Set([closedPlain]));
  const origins = Object.values(urls).map((text) => {
    const { protocol, hostname, port } = new URL(text);
    return `${protocol}//${hostname}:${port || 443}`;
  });
  const session = await lab.rig.openSession();
  const { bundlePath } = lab.rig.host;
  scope = makeTestScope({ ...session, port: door.port }, { caPem: lab.rig.ca, bundlePath, origins });
  real = await openReal(origins);
});

async function openReal(origins: readonly string[]): Promise<typeof real> {
  const { home, upstream, ca } = lab.rig;
  const providers = origins.map((baseUrl, i) => ({ name: `out-of-reach-${i}`, baseUrl }));
  const host = await openHost({ home: `${home}-real`, env: {}, upstreamCa: upstream.caPath, providers });
  const records: CallRecord[] = [];
  host.onEvent((event) => {
    if (event.type === 'call.completed') records.push(event.record);
  });
  const session = await host.openSession();
  const caPem = readFileSync(host.caPath, 'utf8');
  expect(caPem).not.toBe(ca);
  return { host, session, records, scope: makeTestScope(session, { caPem, bundlePath: host.bundlePath, origins }) };
}

afterAll(async () => {
  stranger.close();
  await real.host.close();
  rmSync(`${lab.rig.home}-real`, { recursive: true, force: true });
  await door.close();
  await lab.close();
});

const names = [
  'built-in fetch',
  'undici request with an own Agent',
  'https.request with the global agent',
  'https.request without an agent',
  'axios',
  'got',
  'node-fetch',
];

describe.each(names)('an error of %s', (name) => {
  it.each([
    'nobody listens at any of its addresses',
    'nobody listens at its address',
    'nobody listens, without TLS',
    'its name is unknown',
    'its certificate is by nobody we trust',
    "its certificate is another's",
  ])('is the same in a scope when the provider cannot be reached: %s', async (why) => {
    const url = urls[why] ?? '';
    const client = makeClient(name, new URL(url).origin);
    const ask = (): Promise<unknown> =>
      client.ask(url, { body: '{}' }).then(
        () => 'answered',
        (error: unknown) => readError(error),
      );
    const before = door.asked.length;
    const outside = await runInScope(null, ask);
    expect(door.asked.length).toBe(before);
    const inside = await runInScope(scope, ask);
    expect(door.asked.length).toBeGreaterThan(before);
    expect(inside).toEqual(outside);
    expect(outside).not.toBe('answered');
    const recorded = real.records.length;
    const tapped = await runInScope(real.scope, ask);
    expect(tapped).toEqual(outside);
    // One record for each attempt, for it is known what was to be asked.
    expect(real.records.length).toBeGreaterThan(recorded);
    expect(real.records.at(-1)).toMatchObject({ status: 0, outcome: 'upstream_error', api: 'chat.completions' });
    await client.close?.();
  });
});

describe('CONNECT of a scope', () => {
  const ask = (options: https.RequestOptions, url = urls["its certificate is another's"]): Promise<unknown> =>
    runInScope(
      scope,
      () =>
        new Promise((done) => {
          const request = https.request(url ?? '', { method: 'POST', ...options });
          request.on('error', done).on('response', done).end('{}');
        }),
    );
  const readLast = (header: string): unknown => readHeaderValue(String(door.asked.at(-1)?.[header]));

  it('says who asks, and for which request', async () => {
    await ask({ path: '/v1/chat/completions?x=1' });
    expect(door.asked.at(-1)?.['llmtap-client']).toBe('in-process');
    expect(readLast('llmtap-request')).toEqual({ method: 'POST', path: '/v1/chat/completions?x=1' });
    const undici = makeClient('undici request', '');
    const url = urls["its certificate is another's"] ?? '';
    await expect(runInScope(scope, () => undici.ask(url, { body: '{}' }))).rejects.toThrow(/altnames/);
    expect(readLast('llmtap-request')).toEqual({ method: 'POST', path: '/v1/chat/completions' });
    expect(readLast('llmtap-alpn')).toEqual(['http/1.1']);
  });

  it('carries no TLS options when the caller has none', async () => {
    await ask({});
    expect(door.asked.at(-1)).not.toHaveProperty('llmtap-tls');
  });

  it("carries the caller's own TLS options", async () => {
    const { key, cert, ca } = makeTestCertificate('client.test');
    const agent = new https.Agent({ ca: [Buffer.from(ca)], cert, key: [{ pem: key, passphrase: 'word' }] });
    await ask({ agent, minVersion: 'TLSv1.2', rejectUnauthorized: false, servername: 'other.test' });
    expect(readLast('llmtap-tls')).toEqual({
      ca: [ca],
      cert: [cert],
      key: [key],
      passphrase: 'word',
      minVersion: 'TLSv1.2',
      rejectUnauthorized: false,
      servername: 'other.test',
    });
  });
});

import './own-undici.js';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import got from 'got';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { chatReply, chatRequest } from '../../fixtures/replies.js';
import type { TestScope } from '../../fixtures/scoped-session.js';
import { readError } from './read-error.js';
import { openTrafficLab, type TrafficLab } from './traffic-lab.js';

let lab: TrafficLab;
let scope: TestScope;
/** Ports nobody listens on any more, by scheme. */
const closedPorts: Record<string, number> = {};

beforeAll(async () => {
  lab = await openTrafficLab();
  const servers = ['https', 'http'].map((scheme) => [scheme, net.createServer().listen(0, '127.0.0.1')] as const);
  await Promise.all(servers.map(([, server]) => once(server, 'listening')));
  for (const [scheme, server] of servers) {
    const { port } = server.address() as net.AddressInfo;
    closedPorts[scheme] = port;
    for (const host of ['localhost', 'nowhere.invalid', '127.0.0.1']) lab.addOrigin(`${scheme}://${host}:${port}`);
  }
  await Promise.all(servers.map(([, server]) => new Promise((done) => server.close(done))));
  scope = await lab.openScope();
});
afterAll(async () => {
  await lab.close();
});

const events = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'ready',
  'secureConnect',
  'error',
  'close',
];

/** What a socket tells, with what, until it stands or is over. */
async function listenTo(socket: net.Socket, last: string): Promise<unknown[]> {
  const heard: unknown[] = [];
  for (const name of events) socket.on(name, (...args) => heard.push([name, ...args.map(readError)]));
  await new Promise((resolve) => socket.once(last, resolve).once('close', resolve));
  const all = [...heard];
  socket.destroy();
  return all;
}

/** The port of the provider's own. */
const portOf = (scheme: string): number => (scheme === 'https' ? lab.rig.upstream.port : lab.plain.port);
const open = (scheme: string, options: net.TcpNetConnectOpts): net.Socket =>
  scheme === 'https' ? tls.connect(options) : net.connect(options);

describe.each(['https', 'http'])('what a connection on its way tells of, over %s,', (scheme) => {
  it.each([
    ['the provider answers', 'localhost', portOf],
    ['nobody listens there', 'localhost', (of: string) => closedPorts[of] as number],
    ['nobody listens at the address', '127.0.0.1', (of: string) => closedPorts[of] as number],
    ['its name is unknown', 'nowhere.invalid', (of: string) => closedPorts[of] as number],
  ])('is the same in a scope when %s', async (_what, host, findPort) => {
    const listen = async (): Promise<unknown[]> =>
      await listenTo(open(scheme, { host, port: findPort(scheme) }), scheme === 'https' ? 'secureConnect' : 'ready');
    const outside = await runInScope(null, listen);
    expect(await runInScope(scope, listen)).toEqual(outside);
    expect(outside.length).toBeGreaterThan(1);
  });
});

describe("got's timeouts for looking a name up and for connecting", () => {
  it('end with that in a scope, however long the reply takes', async () => {
    const { handler } = lab.rig.upstream;
    lab.rig.upstream.handler = (_request, response) => void setTimeout(() => response.end(chatReply), 1300);
    const timeout = { lookup: 1000, connect: 1000, secureConnect: 1000 };
    const agent = { https: new https.Agent() };
    const url = `${lab.origin}/v1/chat/completions`;
    const reply = await runInScope(scope, async () =>
      got.post(url, { body: chatRequest, timeout, retry: { limit: 0 }, agent }),
    );
    lab.rig.upstream.handler = handler;
    expect(reply.statusCode).toBe(200);
    expect(reply.timings.phases).toMatchObject({
      dns: expect.any(Number) as number,
      tcp: expect.any(Number) as number,
    });
  });
});

describe('a connection of a scope', () => {
  it('is made as the tap makes them, whatever its options say of that, and says so of itself', async () => {
    let lookups = 0;
    const lookup = (): void => {
      lookups += 1;
    };
    const options = { host: 'localhost', port: lab.rig.upstream.port, family: 6, localAddress: '127.0.0.9', lookup };
    const socket = runInScope(scope, () => tls.connect(options));
    await once(socket, 'secureConnect');
    expect([lookups, socket.remoteAddress, socket.remotePort]).toEqual([0, '127.0.0.1', lab.openOf(scope).port]);
    expect(lab.rig.ca).toContain(socket.getPeerX509Certificate()?.issuerCertificate?.toString() ?? 'none');
    socket.destroy();
  });
});

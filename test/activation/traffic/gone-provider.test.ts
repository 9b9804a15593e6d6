import './own-undici.js';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { chatReply, chatRequest } from '../../fixtures/replies.js';
import { readError } from './read-error.js';
import { openTrafficLab, type TrafficLab } from './traffic-lab.js';

let lab: TrafficLab;
beforeAll(async () => {
  lab = await openTrafficLab();
});
afterAll(() => lab.close());

/** A provider of its own, that can go. */
async function openProvider(scheme: string): Promise<{ readonly origin: string; go(): Promise<void> }> {
  const answer: http.RequestListener = (request, response) =>
    void request
      .resume()
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply));
  const { certificate } = lab.rig.upstream;
  const server = scheme === 'https' ? https.createServer(certificate, answer) : http.createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
  lab.addOrigin(origin);
  const go = async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  };
  return { origin, go };
}

const ask = async (url: string, agent: http.Agent): Promise<Socket> =>
  await new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const headers = { 'content-type': 'application/json' };
    const asked = request(url, { method: 'POST', headers, agent }, (response) =>
      response.resume().once('end', () => resolve(socket as Socket)),
    );
    let socket: Socket | undefined;
    asked.once('socket', (its) => {
      socket = its;
    });
    asked.on('error', reject).end(chatRequest);
  });

describe.each(['https', 'http'])('a connection of %s that is kept and whose provider goes', (scheme) => {
  it('ends in a scope as outside, and the next call meets what it would', async () => {
    const askTwice = async (url: string, go: () => Promise<void>): Promise<unknown> => {
      const agent = new (scheme === 'https' ? https : http).Agent({ keepAlive: true });
      const kept = await ask(url, agent);
      const ended = once(kept, 'close');
      await go();
      await ended;
      const error = await ask(url, agent).catch((thrown: unknown) => thrown);
      agent.destroy();
      return readError(error);
    };
    const [mine, other] = [await openProvider(scheme), await openProvider(scheme)];
    const scope = await lab.openScope();
    const path = '/v1/chat/completions';
    const outside = await runInScope(null, () => askTwice(mine.origin + path, () => mine.go()));
    const inside = await runInScope(scope, () => askTwice(other.origin + path, () => other.go()));
    const portOf = (origin: string): string => new URL(origin).port;
    const swapped = JSON.stringify(inside).replaceAll(portOf(other.origin), portOf(mine.origin));
    expect(JSON.parse(swapped)).toEqual(JSON.parse(JSON.stringify(outside)));
    expect(outside).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

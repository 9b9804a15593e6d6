/**
 * What a tracker cannot see in its own program: the rows of the README's table that no other test is about. Each goes
 * where it would without the tap, whole, and nothing of it is on record; where it can be told, a fault tells it.
 */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LLMTracker, TrackerEvent } from '../../../dist/index.js';
import { makeTestCertificate } from '../../fixtures/upstream.js';
import { openTrackerLab, type TrackerLab } from '../../tracker/tracker-lab.js';

const { key, cert, ca } = makeTestCertificate('localhost');
const body = '{"model":"m","messages":[]}';
const request = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

let lab: TrackerLab;
let tracker: LLMTracker;
let secure: https.Server;
let second: http2.Http2SecureServer;
let plain: http.Server;
let proxy: http.Server;
const events: TrackerEvent[] = [];
const ports = { secure: 0, second: 0, plain: 0, proxy: 0 };
/** Opened before the tracker. */
let older: http2.ClientHttp2Session;

beforeAll(async () => {
  lab = await openTrackerLab();
  const answer: http.RequestListener = (asked, response) =>
    asked.resume().on('end', () => response.end('{"id":"direct"}'));
  secure = https.createServer({ key, cert }, answer);
  second = http2.createSecureServer({ key, cert });
  second.on('stream', (stream) => {
    stream.respond({});
    stream.end('direct');
  });
  plain = http.createServer(answer);
  // A proxy of the program's own: takes absolute URLs.
  proxy = http.createServer((asked, response) => {
    const onward = http.request(asked.url ?? '', { method: asked.method, headers: asked.headers }, (reply) =>
      reply.pipe(response),
    );
    asked.pipe(onward);
  });
  for (const [name, server] of Object.entries({ secure, second, plain, proxy })) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports[name as keyof typeof ports] = (server.address() as AddressInfo).port;
  }
  older = http2.connect(`https://localhost:${ports.second}`, { ca });
  await once(older, 'connect');
  tracker = await lab
    .makeTracker({
      providers: [
        { name: 'secure', baseUrl: `https://localhost:${ports.secure}` },
        { name: 'second', baseUrl: `https://localhost:${ports.second}` },
        { name: 'plain', baseUrl: `http://localhost:${ports.plain}` },
      ],
    })
    .start();
  tracker.onEvent((event) => events.push(event));
});
afterAll(async () => {
  older.destroy();
  second.close();
  for (const server of [secure, plain, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await lab.close();
});

async function readAll(socket: net.Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(socket, 'close');
  return text;
}

/** Runs in a scope; the faults it made. */
async function listFaults(runId: string, work: () => Promise<unknown>): Promise<string[]> {
  const before = events.length;
  const text = await tracker.track({ runId }, work);
  expect(text).toContain('direct');
  expect(await tracker.records({ runId })).toEqual([]);
  return events.slice(before).flatMap((event) => (event.type === 'fault.occurred' ? [event.fault.code] : []));
}

describe('goes its own way, and is not on record', () => {
  it('a socket of TCP made by hand', async () => {
    const faults = await listFaults('tcp', async () => {
      const socket = new net.Socket();
      socket.connect(ports.plain, '127.0.0.1', () => socket.write(request));
      return await readAll(socket);
    });
    expect(faults).toEqual([]);
  });

  it('a socket of TLS made by hand', async () => {
    const faults = await listFaults('tls', async () => {
      const raw = new net.Socket().connect(ports.secure, '127.0.0.1');
      await once(raw, 'connect');
      const socket = new tls.TLSSocket(raw, { secureContext: tls.createSecureContext({ ca }) });
      socket.write(request);
      return await readAll(socket);
    });
    expect(faults).toEqual([]);
  });

  it('a session of HTTP/2 that was opened before the tracker', async () => {
    const faults = await listFaults('older', async () => {
      const stream = older.request({ ':method': 'POST', ':path': '/v1/chat/completions' });
      stream.end(body);
      return await readAll(stream as unknown as net.Socket);
    });
    expect(faults).toEqual([]);
  });

  it('plain HTTP sent to a proxy of the program’s own', async () => {
    const faults = await listFaults('proxied', async () => {
      const { data } = await axios.post<string>(`http://localhost:${ports.plain}/v1/chat/completions`, body, {
        proxy: { protocol: 'http', host: '127.0.0.1', port: ports.proxy },
        responseType: 'text',
        transformResponse: (text: string) => text,
      });
      return data;
    });
    expect(faults).toEqual([]);
  });

  it.each<[string, tls.ConnectionOptions]>([
    ['a check of the server’s identity of its own', { checkServerIdentity: () => undefined }],
    ['keys shared beforehand', { pskCallback: () => null }],
    ['a secure context of its own', { secureContext: tls.createSecureContext({ ca }) }],
  ])('a connection with %s, which is told', async (_what, options) => {
    const faults = await listFaults(_what, async () => {
      const asked = https.request(`https://localhost:${ports.secure}/v1/chat/completions`, {
        method: 'POST',
        ca,
        agent: false,
        ...options,
      });
      asked.end(body);
      const [reply] = (await once(asked, 'response')) as [http.IncomingMessage];
      return await readAll(reply as unknown as net.Socket);
    });
    expect(faults).toEqual(['IN_PROCESS_UNSEEN']);
  });
});

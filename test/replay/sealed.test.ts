import { once } from 'node:events';
import http2 from 'node:http2';
import { expect, it } from 'vitest';
import { answerWith } from '../cache/cache-rig.js';
import { openSecure, openTunnel, readHead } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { dial, readAll } from '../fixtures/tcp.js';
import { openReplayRig } from './replay-rig.js';

it('a replay opens no connection to a provider, whichever way it is asked, whatever router and budget it has', async () => {
  const router = () =>
    Promise.resolve({ model: 'llama', provider: 'groq', apiKey: 'gsk-router', fallbacks: ['other'] });
  const rig = await openReplayRig({ router });
  rig.upstream.handler = answerWith(chatReply);
  await rig.record((session) => rig.call(session));
  const { connections, seen } = rig.upstream;
  const before = [connections, seen.length];
  const cassette = { mode: 'replay', path: rig.path } as const;
  const session = await rig.openSession({ cassette, routed: true, budget: { maxCalls: 1000 } });
  const { port } = session;
  const head = (line: string, host: string): string => `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  for (const line of [
    'GET https://api.openai.com/v1/models',
    'GET http://api.openai.com/v1/models',
    'OPTIONS https://api.openai.com/v1/chat/completions',
    'DELETE https://api.openai.com/v1/responses/resp_1',
  ]) {
    const client = await dial(port);
    client.write(head(line, 'api.openai.com'));
    expect((await readAll(client)).toString(), line).toMatch(/^HTTP\/1.1 412 /);
  }
  expect((await rig.call(session)).status).toBe(412);
  expect((await rig.call(session, { host: 'api.groq.com', path: '/openai/v1/nobody/knows' })).status).toBe(412);
  // An address says nothing of whose it is; the name is in the hello.
  const named = await openSecure(port, 'api.openai.com', { ca: rig.ca, connectAs: '192.0.2.1:443' });
  named.write(head('GET /v1/models', 'api.openai.com'));
  expect((await readAll(named)).toString()).toMatch(/^HTTP\/1.1 412 /);
  const upgrading = await openSecure(port, 'api.openai.com', { ca: rig.ca });
  upgrading.write(
    'GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nConnection: close, upgrade\r\nUpgrade: h2c\r\n\r\n',
  );
  expect((await readAll(upgrading)).toString()).toMatch(/^HTTP\/1.1 412 /);
  const socket = await openSecure(port, 'api.openai.com', { ca: rig.ca });
  socket.write(
    'GET /v1/nobody HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  expect(await readHead(socket)).toMatch(/^HTTP\/1.1 412 /);
  const blind = await openTunnel(port, '192.0.2.1:443');
  blind.socket.resume().end('SSH-2.0-nobody\r\n');
  await once(blind.socket, 'close');
  const h2 = await openSecure(port, 'api.openai.com', { ca: rig.ca, ALPNProtocols: ['h2'] });
  const client = http2.connect('https://api.openai.com', { createConnection: () => h2 });
  const stream = client.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    'content-type': 'application/json',
  });
  stream.end(chatRequest.replace('"Hi"', '"Ho"'));
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  expect(headers[':status']).toBe(412);
  client.destroy();
  socket.destroy();
  await session.close();
  expect([rig.upstream.connections, rig.upstream.seen.length]).toEqual(before);
  expect(JSON.stringify([rig.records, rig.faults])).not.toContain('gsk-router');
});

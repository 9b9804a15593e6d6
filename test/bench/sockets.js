// What reading a WebSocket costs the tap beside relaying it blind: the same messages on two paths of one host.
import net from 'node:net';
import tls from 'node:tls';
import { WebSocket } from 'ws';

const host = 'api.openai.com';

async function openTunnel(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** Asks for so many messages and waits for the last. */
async function readMessages(tap, path, { messages, compress }) {
  const socket = await openTunnel(tap.port);
  const secure = tls.connect({ socket, servername: host, ca: tap.ca });
  const webSocket = new WebSocket(`wss://${host}${path}?messages=${messages}`, {
    createConnection: () => secure,
    perMessageDeflate: compress,
  });
  webSocket.on('open', () => webSocket.send(JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'Hi' })));
  let seen = 0;
  await new Promise((resolve, reject) => {
    webSocket.on('error', reject).on('message', (data) => {
      seen += 1;
      if (data.length > 120 && data.includes('response.completed')) resolve();
    });
  });
  webSocket.terminate();
  if (seen !== messages + 2) throw new Error(`${seen} of ${messages + 2} messages came`);
}

/** CPU of the tap for a message, in microseconds, read and blind in turns: medians are the caller's. */
export async function measureSockets(tap, { messages, rounds, compress }) {
  const costs = { read: [], blind: [] };
  const ways = { read: '/v1/responses', blind: '/v1/blind' };
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? ['read', 'blind'] : ['blind', 'read']) {
      const before = await tap.ask('cpu');
      await readMessages(tap, ways[name], { messages, compress });
      const after = await tap.ask('cpu');
      // The first round warms up.
      if (round >= 0) costs[name].push((after.user + after.system - before.user - before.system) / messages);
    }
  }
  return costs;
}

import './own-undici.js';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import * as undici from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { runInScope } from '../../../src/activation/scope.js';
import { chatReply } from '../../fixtures/replies.js';
import { countOf, makeBody, path } from './calls.js';
import { openTrafficLab, type TrafficLab } from './traffic-lab.js';

let lab: TrafficLab;
const sockets = new WebSocketServer({ noServer: true });
beforeAll(async () => {
  lab = await openTrafficLab();
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send((data as Buffer).toString())));
  lab.rig.upstream.onUpgrade = (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened));
  };
});
afterAll(async () => {
  sockets.close();
  await lab.close();
});

const method = 'POST';
const headers = { 'content-type': 'application/json' };

async function streamAsk(dispatcher: undici.Dispatcher | undefined): Promise<string> {
  let text = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const options = { method, headers, body: makeBody('streamed'), ...(dispatcher && { dispatcher }) } as const;
  await undici.stream(`${lab.origin}${path}`, options, () => sink);
  return text;
}

async function pipelineAsk(dispatcher: undici.Dispatcher | undefined): Promise<string> {
  const options = { method, headers, ...(dispatcher && { dispatcher }) } as const;
  const through = undici.pipeline(`${lab.origin}${path}`, options, ({ body }) => body);
  let text = '';
  for await (const chunk of Readable.from([makeBody('piped')]).pipe(through)) text += String(chunk);
  return text;
}

describe.each([
  ['stream', streamAsk],
  ['pipeline', pipelineAsk],
])('undici.%s', (_name, ask) => {
  it.each(['the global dispatcher', 'an Agent of its own'])(
    'records its calls with their scope, over %s',
    async (which) => {
      const dispatcher = which.startsWith('an') ? new undici.Agent() : undefined;
      const [scope, other] = [await lab.openScope(), await lab.openScope()];
      for (const owner of [scope, null, other, null]) {
        expect(await runInScope(owner, () => ask(dispatcher))).toBe(chatReply);
      }
      expect([countOf(lab, scope), countOf(lab, other)]).toEqual([1, 1]);
      await dispatcher?.close();
    },
  );
});

describe('a WebSocket of undici', () => {
  const echo = async (): Promise<string> => {
    const socket = new undici.WebSocket(`${lab.origin.replace('https', 'wss')}/v1/realtime?model=m`);
    await once(socket as unknown as EventTarget, 'open');
    socket.send('hello');
    const [event] = (await once(socket as unknown as EventTarget, 'message')) as [undici.MessageEvent];
    socket.close();
    await once(socket as unknown as EventTarget, 'close');
    return String(event.data);
  };

  it('belongs to the scope it was opened in, and to none outside', async () => {
    const scope = await lab.openScope();
    expect(await runInScope(null, echo)).toBe('hello');
    expect(lab.openOf(scope).counts().upgrades).toBe(0);
    expect(await runInScope(scope, echo)).toBe('hello');
    expect(lab.openOf(scope).counts().upgrades).toBe(1);
  });
});

/** Calls by gRPC, recorded and played to real clients, whose messages are opaque to the recording. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { OpenSession } from '../../src/core/host.js';
import { type GrpcLab, loadService, openGrpcLab } from '../fixtures/grpc/lab.js';
import { askHttp2, openHttp2 } from '../fixtures/http2-client.js';
import { openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { openReplayRig } from './replay-rig.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Done = grpc.sendUnaryData<unknown>;
type AnyClient = grpc.Client & Record<string, (request: object, done?: Done) => grpc.ClientReadableStream<unknown>>;

/** What a client was told of a call: its messages, how it ended, and what the trailers said. */
interface Told {
  readonly messages: readonly unknown[];
  readonly code: number;
  readonly details: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

const Service = loadService('xai.proto', 'xai_api.Chat');
const request = { messages: [{ content: [{ text: 'hi' }], role: 1 }], model: 'grok-4' };
const chunk = (content: string) => ({ id: 'x', model: 'grok-4', outputs: [{ delta: { content } }] });

/** What the server was asked, by method. */
const served: string[] = [];

const handlers: grpc.UntypedServiceImplementation = {
  GetCompletion: (call: grpc.ServerUnaryCall<{ user: string }, unknown>, done: Done) => {
    served.push('GetCompletion');
    const trailers = new grpc.Metadata();
    trailers.set('x-served-in', 'lisbon');
    if (call.request.user === 'fail')
      done({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'slow down', metadata: trailers });
    else
      done(
        null,
        { id: `x-${call.request.user}`, model: 'grok-4', usage: { prompt_tokens: 3, completion_tokens: 4 } },
        trailers,
      );
  },
  GetCompletionChunk: (call: grpc.ServerWritableStream<{ user: string }, unknown>) => {
    served.push('GetCompletionChunk');
    const trailers = new grpc.Metadata();
    trailers.set('x-served-in', 'porto');
    for (const word of ['one', 'two', 'three']) call.write(chunk(word));
    if (call.request.user === 'fail')
      call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'gone', metadata: trailers });
    else call.end(trailers);
  },
};

const opaque = { requestSerialize: (bytes: Buffer) => bytes, requestDeserialize: (bytes: Buffer) => bytes };
const passed = { responseSerialize: (bytes: Buffer) => bytes, responseDeserialize: (bytes: Buffer) => bytes };

/** A method in which both talk, a word of the server's behind each of the client's. */
const talk = (path: string): grpc.ServiceDefinition => ({
  Talk: { path, requestStream: true, responseStream: true, ...opaque, ...passed },
  Count: { path: '/a.Tokens/Count', requestStream: false, responseStream: false, ...opaque, ...passed },
});
const talking: grpc.UntypedServiceImplementation = {
  Talk: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (said: Buffer) => call.write(Buffer.concat([Buffer.from('heard '), said])));
    call.on('end', () => call.end());
  },
  Count: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: Done) => done(null, Buffer.from(`${call.request.length}`)),
};

async function openLab(
  host = 'api.x.ai',
  service = Service.service,
  implementation = handlers,
): Promise<GrpcLab & { readonly path: string }> {
  const lab = await openGrpcLab(host, service, implementation);
  closing.push(() => lab.close());
  return { ...lab, path: join(lab.rig.home, 'cassettes', 'one.jsonl') };
}

function openClient(lab: GrpcLab, session: OpenSession, Client = Service): AnyClient {
  process.env.grpc_proxy = `http://127.0.0.1:${session.port}`;
  const client = new Client(`${lab.host}:443`, lab.credentials);
  delete process.env.grpc_proxy;
  closing.push(() => client.close());
  return client as unknown as AnyClient;
}

async function ask(client: AnyClient, method: string, asked: object): Promise<Told> {
  const messages: unknown[] = [];
  const call =
    method === 'GetCompletion'
      ? client[method]?.(asked, (error, reply) => error === null && messages.push(reply))
      : client[method]?.(asked).on('data', (message) => messages.push(message));
  call?.on('error', () => undefined);
  const ended = await new Promise<grpc.StatusObject>((resolve) => call?.once('status', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  // Of the exchange, not of the answer.
  const { date: _, ...trailers } = ended.metadata.getMap();
  return { messages, code: ended.code, details: ended.details, trailers };
}

const calls: readonly (readonly [string, string])[] = [
  ['GetCompletion', 'a'],
  ['GetCompletion', 'b'],
  ['GetCompletion', 'fail'],
  ['GetCompletionChunk', 'a'],
  ['GetCompletionChunk', 'fail'],
];

async function askAll(lab: GrpcLab, session: OpenSession): Promise<Told[]> {
  const client = openClient(lab, session);
  const told: Told[] = [];
  for (const [method, user] of calls) told.push(await ask(client, method, { ...request, user }));
  client.close();
  return told;
}

const play = async ({ rig, path }: Awaited<ReturnType<typeof openLab>>) =>
  await rig.openSession({ cassette: { mode: 'replay', path } });

async function record(
  { rig, path }: Awaited<ReturnType<typeof openLab>>,
  work: (session: OpenSession) => Promise<unknown>,
): Promise<void> {
  const session = await rig.openSession({ cassette: { mode: 'record', path } });
  await work(session);
  await session.close({ drain: true });
}

describe('calls by gRPC', () => {
  it('are played with their messages, their status and their trailers, and asked of nobody', async () => {
    const lab = await openLab();
    let told: Told[] = [];
    await record(lab, async (session) => {
      told = await askAll(lab, session);
    });
    expect(told.map(({ messages, code }) => [messages.length, code])).toEqual([
      [1, 0],
      [1, 0],
      [0, grpc.status.RESOURCE_EXHAUSTED],
      [3, 0],
      [3, grpc.status.UNAVAILABLE],
    ]);
    served.length = 0;
    expect(await askAll(lab, await play(lab))).toEqual(told);
    expect(served).toEqual([]);
    expect(lab.rig.faults).toEqual([]);
    const records = await lab.rig.waitForRecords(10);
    const read = (some: typeof records) => some.map(({ api, usage, error, protocol }) => [api, usage, error, protocol]);
    expect(read(records.slice(5))).toEqual(read(records.slice(0, 5)));
    expect(records.slice(5).every(({ cached }) => cached)).toBe(true);
  });

  it('fail with FAILED_PRECONDITION where they are not recorded, and say what differs', async () => {
    const lab = await openLab();
    await record(lab, async (session) => await ask(openClient(lab, session), 'GetCompletion', request));
    const client = openClient(lab, await play(lab));
    served.length = 0;
    const other = await ask(client, 'GetCompletion', { ...request, model: 'grok-4 100 % “new”' });
    expect(other).toMatchObject({ messages: [], code: grpc.status.FAILED_PRECONDITION });
    expect(other.details).toMatch(
      /^llmtap: POST api\.x\.ai\/xai_api\.Chat\/GetCompletion is not in the recording: the nearest recorded call is number 1, and body\.\w+ is .* in the recording.*Nothing was sent\.$/,
    );
    const stream = await ask(client, 'GetCompletionChunk', request);
    expect(stream).toMatchObject({ messages: [], code: grpc.status.FAILED_PRECONDITION });
    expect(served).toEqual([]);
    const faults = await lab.rig.waitForFaults(2);
    expect(faults.map(({ code }) => code)).toEqual(['REPLAY_MISSED', 'REPLAY_MISSED']);
  });

  it('fail so as well where the cache alone is to be asked, which keeps none of them', async () => {
    const lab = await openLab();
    const client = openClient(lab, await lab.rig.openSession({ cache: { mode: 'only' } }));
    expect(await ask(client, 'GetCompletion', request)).toMatchObject({
      code: grpc.status.FAILED_PRECONDITION,
      details: expect.stringContaining('the cache alone was to be asked') as string,
    });
  });

  const key = `sk-proj-${'Ab3'.repeat(16)}`;
  const frame = (flag: number, body: Buffer): Buffer => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(flag);
    prefix.writeUInt32BE(body.length, 1);
    return Buffer.concat([prefix, body]);
  };

  it.each([
    ['gzip', frame(1, gzipSync('nothing '.repeat(100))), true],
    ['gzip', frame(1, gzipSync(`the key is ${key}`)), false],
    ['identity', frame(0, Buffer.from(`the key is ${key}`)), false],
    ['snappy', frame(1, Buffer.from('who knows')), false],
  ])(
    'compressed by %s are recorded where they can be searched and hold no credential',
    async (coding, body, isKept) => {
      const provider = await openHttp2Upstream({ host: 'api.x.ai' });
      closing.push(() => provider.close());
      provider.handler = (stream) => {
        const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': coding };
        stream.respond(head, { waitForTrailers: true });
        const details = Buffer.from(`see ${key}`).toString('base64');
        stream.on('wantTrailers', () =>
          stream.sendTrailers({ 'grpc-status': '0', 'grpc-status-details-bin': details }),
        );
        stream.end(body);
      };
      const rig = await openReplayRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
      const asked = { ':path': '/xai_api.Chat/GetCompletion', 'content-type': 'application/grpc', te: 'trailers' };
      const talk = async ({ port }: OpenSession) => {
        const client = await openHttp2({ port, ca: rig.ca, host: 'api.x.ai' });
        const reply = await askHttp2(client, asked, frame(0, Buffer.from('hi')));
        client.destroy();
        return reply;
      };
      await rig.record(talk);
      expect(rig.readCassette().trim().split('\n')).toHaveLength(isKept ? 2 : 1);
      expect(rig.readCassette()).not.toMatch(new RegExp(`Ab3Ab3|${Buffer.from(key).toString('base64').slice(8, 20)}`));
      const reply = await talk(await rig.replay());
      if (!isKept) return expect(reply.headers['grpc-status']).toBe('9');
      expect(reply.body).toEqual(body);
      expect(reply.headers['grpc-encoding']).toBe('gzip');
      expect(Object.entries(reply.trailers ?? {})).toEqual([['grpc-status', '0']]);
    },
  );
});

const count = (client: AnyClient, bytes: Buffer): Promise<string> =>
  new Promise((resolve) => {
    client.Count?.(bytes, (error, reply) => resolve(error === null ? String(reply) : (error.details ?? '')));
  });

describe('a method of gRPC in which both talk', () => {
  it.each([
    [
      'that is a model’s',
      'generativelanguage.googleapis.com',
      '/google.ai.generativelanguage.v1beta.GenerativeService/BidiGenerateContent',
    ],
    ['that is none', 'api.x.ai', '/xai_api.Other/Talk'],
  ])('%s is not held up by a recording, is not in it, and is refused by its replay', async (_, host, path) => {
    const definition = talk(path);
    const lab = await openLab(host, definition, talking);
    const Client = grpc.makeGenericClientConstructor(definition, 'Talks');
    const converse = async (session: OpenSession): Promise<string[]> => {
      const client = openClient(lab, session, Client) as unknown as Record<
        string,
        () => grpc.ClientDuplexStream<Buffer, Buffer>
      >;
      const stream = client.Talk?.();
      if (stream === undefined) return [];
      const heard: string[] = [];
      const ended = new Promise<grpc.StatusObject>((resolve) => stream.once('status', resolve));
      stream
        .on('error', () => undefined)
        .on('data', (said: Buffer) => {
          heard.push(said.toString());
          // Each says a word once it has heard the other's.
          if (heard.length < 3) stream.write(Buffer.from(String(heard.length)));
          else stream.end();
        });
      stream.write(Buffer.from('0'));
      const { code } = await ended;
      return [...heard, grpc.status[code]];
    };
    await record(lab, async (session) => {
      expect(await converse(session)).toEqual(['heard 0', 'heard 1', 'heard 2', 'OK']);
      expect(await count(openClient(lab, session, Client), Buffer.alloc(7))).toBe('7');
    });
    expect(lab.rig.faults).toMatchObject([
      {
        code: 'CASSETTE_INCOMPLETE',
        message: expect.stringContaining('it was answered before it had said all') as string,
      },
    ]);
    const playing = await play(lab);
    expect(await converse(playing)).toEqual(['FAILED_PRECONDITION']);
    expect(await count(openClient(lab, playing, Client), Buffer.alloc(7))).toBe('7');
  });
});

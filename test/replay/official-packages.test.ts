// Every operation of the official packages that llmtap reads, recorded, and said again with the provider stopped.
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { ProxyAgent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import type { OpenSession } from '../../src/core/host.js';
import { readContentType, readFixture } from '../contract/provider-fixtures.js';
import { openSecure } from '../fixtures/proxy-client.js';
import { type Operation, operations, type Through } from './official-packages.js';
import { openReplayRig, type ReplayRig } from './replay-rig.js';

interface Said {
  /** What the package made of the reply. */
  readonly said: unknown;
  /** The bytes it was given; empty where it takes no `fetch`. */
  readonly bytes: string;
  readonly record: CallRecord;
}

let rig: ReplayRig;
const recorded = new Map<string, Said>();
const replayed = new Map<string, Said>();

beforeAll(async () => {
  rig = await openReplayRig({ isShared: true });
  await rig.record(async (session) => {
    await callAll(session, recorded, (operation) => serve(operation));
  });
  await rig.upstream.close();
  await callAll(await rig.replay(), replayed, () => undefined);
}, 120_000);
afterAll(async () => await rig.close());

/** Answers from now on as an operation is answered, a stream in pieces that cut its frames. */
function serve({ file, contentType }: Operation): void {
  const bytes = typeof file === 'string' ? readFixture(file) : file;
  const type = contentType ?? readContentType(String(file));
  const isWhole = typeof file !== 'string' || file.endsWith('.json');
  rig.upstream.handler = (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': type, ...(isWhole && { 'content-length': bytes.length }) });
      for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
      response.end();
    });
  };
}

async function callAll(
  session: OpenSession,
  into: Map<string, Said>,
  prepare: (one: Operation) => void,
): Promise<void> {
  const proxy = new ProxyAgent({ uri: `http://127.0.0.1:${session.port}`, requestTls: { ca: rig.ca } });
  const agent = makeTlsAgent(session.port);
  const heard: Promise<ArrayBuffer>[] = [];
  // Node's own fetch takes a dispatcher of npm undici, whose types differ from its own.
  const dispatched: object = { dispatcher: proxy };
  const ask = fetch;
  const through: Through = {
    fetch: async (input, init) => {
      const reply = await ask(input, { ...init, ...dispatched });
      heard.push(reply.clone().arrayBuffer());
      return reply;
    },
    agent,
    openHttp2Socket: (host) => openSecure(session.port, host, { ca: rig.ca, ALPNProtocols: ['h2'] }),
  };
  for (const operation of operations) {
    prepare(operation);
    const before = rig.records.length;
    const said = await operation.call(through);
    const record = (await rig.waitForRecords(before + 1))[before];
    if (record === undefined) throw new Error('no record');
    const bytes = (await Promise.all(heard.splice(0))).map((one) => Buffer.from(one).toString('base64')).join();
    into.set(operation.title, { said, bytes, record });
  }
  agent.destroy();
  await proxy.close();
}

/** An agent of HTTPS whose connections are tunnels through the proxy. */
function makeTlsAgent(port: number): https.Agent {
  const agent = new https.Agent({ keepAlive: true });
  const open = (
    { host = '' }: https.RequestOptions,
    done: (error: Error | null, socket?: Duplex) => void,
  ): undefined => {
    openSecure(port, String(host), { ca: rig.ca }).then(
      (socket) => done(null, socket),
      (error: Error) => done(error),
    );
  };
  return Object.assign(agent, { createConnection: open });
}

/** Google's package tells the headers as well, of which dates and connections are those of one exchange. */
const formatSaid = (said: unknown): string =>
  JSON.stringify(said, (name, value: unknown) => (/^sdk_?http_?response$/i.test(name) ? undefined : value));

const facts = ({ provider, api, model, usage, usageDetails, outcome, status, stream, partial }: CallRecord) => ({
  ...{ provider, api, model, usage, usageDetails, outcome, status, stream, partial },
});

describe('an official package, replayed with the provider’s server stopped', () => {
  it.each(operations)('says what it said, of the same bytes: $title', ({ title }) => {
    const [first, again] = [recorded.get(title), replayed.get(title)];
    expect(first?.said).toBeDefined();
    expect(formatSaid(again?.said)).toBe(formatSaid(first?.said));
    expect(again?.bytes).toBe(first?.bytes);
    expect(again && facts(again.record)).toEqual(first && facts(first.record));
    expect([first?.record.cached, again?.record.cached]).toEqual([false, true]);
  });

  it('was told by whom HTTP/2 was spoken', () => {
    const protocols = operations
      .filter(({ title }) => title.includes('HTTP/2'))
      .map(({ title }) => replayed.get(title));
    expect(protocols.map((one) => one?.record.protocol)).toEqual(['h2', 'h2', 'h2', 'h2']);
  });
});

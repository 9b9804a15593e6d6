import './own-undici.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { openRawProvider, type RawAnswer, type RawProvider } from '../../fixtures/raw-provider.js';
import type { TestScope } from '../../fixtures/scoped-session.js';
import { makeClient } from './clients.js';
import { readError } from './read-error.js';
import { openTrafficLab, type TrafficLab } from './traffic-lab.js';

let lab: TrafficLab;
let scope: TestScope;
const providers: Record<string, RawProvider> = {};

const json = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const cut: Readonly<Record<string, string>> = {
  nothing: '',
  'less than its length says': `${json}Content-Length: 999\r\n\r\n{"id":"x"`,
  'no last chunk': `${json}Transfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\n`,
  'no last chunk, and Connection: close': `${json}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\n`,
  'no length': `${json}\r\n{"id":"x"`,
  'no length, and Connection: close': `${json}Connection: close\r\n\r\n{"id":"x"`,
};
const odd: Readonly<Record<string, string>> = {
  'half a head': 'HTTP/1.1 200 OK\r\nContent-Ty',
  'another protocol': 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'another version': 'HTTP/3.0 200 OK\r\n\r\n',
  'a head of 400 KB': `HTTP/1.1 200 OK\r\nX-Big: ${'b'.repeat(400_000)}\r\n\r\n`,
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
  'a length that is no number': 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}',
  'a header with a NUL': 'HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\n\r\n{}',
  'a folded header': 'HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\n{}',
  'a 100 nobody asked for': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
  'a chunk that is none': `${json}Transfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\nzz\r\n`,
};
const answers = new Map<string, RawAnswer>(
  Object.entries(cut).flatMap(([what, text]) =>
    (text === '' ? (['end', 'drop'] as const) : (['end', 'drop', 'reset'] as const)).map((ending) => [
      `${what}, then ${ending}`,
      { text, ending },
    ]),
  ),
);
for (const [what, text] of Object.entries(odd)) answers.set(what, { text, ending: 'end' });
const makePath = (what: string): string => `/v1/chat/completions?${encodeURIComponent(what)}`;

beforeAll(async () => {
  lab = await openTrafficLab();
  Object.assign(providers, {
    https: await openRawProvider(lab.rig.upstream.certificate),
    http: await openRawProvider(null),
  });
  for (const [scheme, provider] of Object.entries(providers)) {
    lab.addOrigin(`${scheme}://localhost:${provider.port}`);
    for (const [what, answer] of answers) provider.answers.set(makePath(what), answer);
  }
  scope = await lab.openScope();
});
afterAll(async () => {
  for (const provider of Object.values(providers)) await provider.close();
  await lab.close();
});

describe.each([
  'built-in fetch',
  'undici request with an own Agent',
  'https.request with the global agent',
  'https.request without an agent',
  'axios',
  'got',
  'node-fetch',
])('a reply that ends badly, or is no HTTP, for %s', (name) => {
  /** What its caller gets of each: the reply, or how far it came and the error. */
  const askAll = async (scheme: string): Promise<Record<string, unknown>> => {
    const provider = providers[scheme] as RawProvider;
    const origin = `${scheme}://localhost:${provider.port}`;
    const client = makeClient(name, origin);
    const ask = async (what: string): Promise<unknown> => {
      let text = '';
      const onChunk = (chunk: string): void => {
        text += chunk;
        if (what.endsWith('reset')) provider.reset(makePath(what));
      };
      return await client.ask(`${origin}${makePath(what)}`, { body: '{}', onChunk }).catch((error: unknown) => ({
        // Whether an error of the parser's overtakes what came with it is a matter of packets.
        ...(answers.get(what)?.ending !== 'end' && { text }),
        error: readError(error),
      }));
    };
    const entries = await Promise.all([...answers.keys()].map(async (what) => [what, await ask(what)] as const));
    await client.close?.();
    return Object.fromEntries(entries);
  };

  it.each(['https', 'http'])('is the same in a scope as outside, over %s', async (scheme) => {
    const outside = await runInScope(null, () => askAll(scheme));
    const inside = await runInScope(scope, () => askAll(scheme));
    expect(inside).toEqual(outside);
    expect(outside['no last chunk, then reset']).toMatchObject({ error: expect.anything() as unknown });
  });
});

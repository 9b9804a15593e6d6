/** Configs from the real client of LaunchDarkly's, offline: flags by its TestData, its events to a server on loopback. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basicLogger, init, type LDClient } from '@launchdarkly/node-server-sdk';
import { TestData } from '@launchdarkly/node-server-sdk/integrations';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigClient } from '../../src/configs/config-client.js';
import { table } from '../fixtures/tracker-vectors.js';

interface Post {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: readonly Readonly<Record<string, unknown>>[];
}

let server: Server;
let posts: Post[];
let flags: TestData;
let client: LDClient;

beforeEach(async () => {
  posts = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Post['body'];
      posts.push({ url: request.url, headers: request.headers, body });
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  flags = new TestData();
  client = init('sdk-key-of-a-test', {
    ...{ baseUri: here, streamUri: here, eventsUri: here, diagnosticOptOut: true },
    updateProcessor: flags.getFactory(),
    logger: basicLogger({ level: 'none' }),
  });
  await client.waitForInitialization({ timeout: 5 });
});
afterEach(async () => {
  client.close();
  await new Promise((resolve) => server.close(resolve));
});

const user = { kind: 'user', key: 'user-1', name: 'N' };
const meta = { enabled: true, variationKey: 'var-a', version: 3, mode: 'completion' };
const flag = { _ldMeta: meta, model: { name: 'gpt-4o' }, provider: { name: 'openai' } };

/** What differs from one time to the next. */
function steady(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, inner: unknown) => {
      if (['creationDate', 'startDate', 'endDate'].includes(name)) return 'a date';
      if (name === 'runId') return 'an id';
      return name.startsWith('aiSdk') ? 'an SDK' : inner;
    }),
  );
}

describe('a client of LaunchDarkly’s', () => {
  it('gives configs, and sends their events as the wire sample has them', async () => {
    await flags.update(flags.flag('cfg').valueForAll(flag));
    const configs = new ConfigClient({ flags: client });
    const config = await configs.completionConfig('cfg', user);
    const tracker = config.createTracker();
    tracker.trackDuration(12.5);
    tracker.trackToolCall('x');
    tracker.trackSuccess();
    await client.flush();
    const [post] = posts;
    expect(post?.url).toBe('/bulk');
    expect(post?.headers['x-launchdarkly-event-schema']).toBe('4');
    expect(steady(post?.body)).toEqual(steady(table.wire[0]?.body));
    expect(posts).toHaveLength(1);
  });

  it('gives a graph of agents, whose nodes know of which graph they are', async () => {
    const agent = { _ldMeta: { ...meta, mode: 'agent' }, instructions: 'For {{ldctx.name}}' };
    await flags.update(flags.flag('a').valueForAll(agent));
    await flags.update(flags.flag('b').valueForAll(agent));
    await flags.update(flags.flag('g').valueForAll({ root: 'a', edges: { a: [{ key: 'b' }] } }));
    const graph = await new ConfigClient({ flags: client }).agentGraph('g', user);
    const visited: string[] = [];
    graph.traverse((node) => visited.push(`${node.getKey()}: ${String(node.getConfig().instructions)}`));
    expect(visited).toEqual(['a: For N', 'b: For N']);
    expect(graph.rootNode()?.getConfig().createTracker().getTrackData()).toMatchObject({
      graphKey: 'g',
      configKey: 'a',
    });
  });

  it('gives what the flag says at the time, and the default for one there is not', async () => {
    const configs = new ConfigClient({ flags: client });
    const fallback = { model: { name: 'spare' } };
    expect((await configs.completionConfig('cfg', user, fallback)).model).toEqual({ name: 'spare' });
    await flags.update(flags.flag('cfg').valueForAll(flag));
    expect((await configs.completionConfig('cfg', user, fallback)).model).toEqual({ name: 'gpt-4o' });
    await flags.update(flags.flag('cfg').valueForAll('no object'));
    expect((await configs.completionConfig('cfg', user, fallback)).model).toEqual({ name: 'spare' });
  });

  it('tells contexts apart', async () => {
    await flags.update(
      flags
        .flag('cfg')
        .variations(flag, { ...flag, model: { name: 'gpt-4o-mini' } })
        .variationForUser('user-2', 1)
        .fallthroughVariation(0),
    );
    const configs = new ConfigClient({ flags: client });
    const models = ['user-1', 'user-2'].map(
      async (key) => (await configs.completionConfig('cfg', { kind: 'user', key })).model,
    );
    expect(await Promise.all(models)).toEqual([{ name: 'gpt-4o' }, { name: 'gpt-4o-mini' }]);
  });
});

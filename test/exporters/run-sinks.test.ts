import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { init } from '@launchdarkly/node-server-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigTracker, LLMTracker } from '../../dist/index.js';
import type { HostOptions, SessionOptions } from '../../src/core/host.js';
import { placeSession } from '../../src/core/trace-ids.js';
import { openFolder } from '../cli/launch.js';
import { type Collector, openCollector } from '../fixtures/collector.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openRun(options: Partial<HostOptions>, session: SessionOptions): Promise<Rig> {
  const rig = await openRig({ ...options, session });
  closing.push(() => rig.close());
  rig.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
  await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest });
  await rig.waitForRecords(1);
  return rig;
}

async function collect(): Promise<Collector> {
  const collector = await openCollector();
  closing.push(() => collector.close());
  return collector;
}

const runId = '6f1c0a3e-26bb-4a39-9c4a-0a1b2c3d4e5f';

describe('a collector', () => {
  it('gets the events of a run as log records in its trace, without the context, and how it ended with its span', async () => {
    const collector = await collect();
    const run = { context: { kind: 'user', key: 'someone@example.com' } };
    const rig = await openRun({ exporters: [{ kind: 'otlp', url: collector.url }] }, { runId, configKey: 'bot', run });
    const { sessionId } = rig.session.session;
    await rig.session.close({ verdict: 'error' });
    await rig.host.close();
    const log = collector.logs.find(({ eventName }) => eventName === '$ld:ai:tokens:total');
    const { traceId, spanId } = placeSession({ runId, sessionId });
    expect(log).toMatchObject({
      ...{ traceId, spanId, severityText: 'INFO' },
      attributes: { 'llmtap.event.value': 15, 'llmtap.event.source': 'wire', 'llmtap.run.id': runId },
    });
    expect(JSON.stringify(collector.logs)).not.toContain('someone@example.com');
    const span = collector.spans.find(({ name }) => name === 'llmtap.session bot');
    expect(span?.attributes['llmtap.run.outcome']).toBe('error');
    expect(span?.status).toMatchObject({ code: 'STATUS_CODE_ERROR' });
  });
});

describe('Langfuse', () => {
  it('gets the traces, signed in by the two keys of its variables, and nothing else', async () => {
    const collector = await collect();
    const env = {
      LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
      LANGFUSE_SECRET_KEY: 'sk-lf-2',
      LANGFUSE_BASE_URL: `${collector.url}/`,
    };
    const rig = await openRun({ exporters: [{ kind: 'langfuse' }], env }, { runId, configKey: 'bot' });
    await rig.host.close();
    expect(new Set(collector.paths)).toEqual(new Set(['/api/public/otel/v1/traces']));
    expect(collector.headers[0]).toMatchObject({
      authorization: `Basic ${Buffer.from('pk-lf-1:sk-lf-2').toString('base64')}`,
      'x-langfuse-ingestion-version': '4',
    });
    expect(collector.spans.map(({ name }) => name).sort()).toEqual(['chat gpt-4o', 'llmtap.session bot']);
    expect(rig.faults).toEqual([]);
  });

  it.each([
    [{ LANGFUSE_PUBLIC_KEY: 'pk' }, 'LANGFUSE_SECRET_KEY is not set'],
    [{ LANGFUSE_SECRET_KEY: 'sk' }, 'LANGFUSE_PUBLIC_KEY is not set'],
    [{ LANGFUSE_PUBLIC_KEY: 'pk', LANGFUSE_SECRET_KEY: 'sk', LANGFUSE_HOST: 'here' }, 'it is no URL'],
  ])('is not opened with %j', async (env, problem) => {
    await expect(openRig({ exporters: [{ kind: 'langfuse' }], env })).rejects.toMatchObject({
      code: 'EXPORTER_INVALID',
      message: expect.stringContaining(problem) as string,
    });
  });
});

interface Post {
  readonly kind: string;
  readonly key?: string;
  readonly context: object;
  readonly data?: object;
  readonly metricValue?: number;
}

async function openLaunchDarkly() {
  const posts: Post[] = [];
  const seen: (string | undefined)[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${String(request.headers['x-launchdarkly-event-schema'])}`);
      if (request.url === '/bulk') posts.push(...(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Post[]));
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const client = init('sdk-key-of-a-test', {
    ...{ baseUri: here, streamUri: here, eventsUri: here, diagnosticOptOut: true, logger: silent },
    updateProcessor: () => ({ start: () => undefined, stop: () => undefined, close: () => undefined }),
  });
  closing.push(async () => client.close());
  return { client, posts, seen };
}

describe('LaunchDarkly’s own client', () => {
  it('posts what a run came to, as its AI SDKs do', async () => {
    const { client, posts, seen } = await openLaunchDarkly();
    const folder = openFolder();
    closing.push(async () => folder.close());
    const tracker = await new LLMTracker({ home: folder.path, sinks: [client] }).start();
    const context = { kind: 'user', key: 'user-1', name: 'N' };
    const own = new ConfigTracker({
      ...{ sink: tracker.sink, context, configKey: 'cfg', variationKey: 'var-a', version: 3, runId },
      ...{ modelName: 'gpt-4o', providerName: 'openai' },
    });
    own.trackDuration(12.5);
    own.trackToolCall('x');
    own.trackSuccess();
    await tracker.close();
    const data = {
      ...{ runId, configKey: 'cfg', variationKey: 'var-a', version: 3 },
      ...{ modelName: 'gpt-4o', providerName: 'openai', modelVersion: 1 },
    };
    expect(seen).toContain('POST /bulk 4');
    const custom = posts.filter(({ kind }) => kind === 'custom');
    expect(custom.map(({ key, metricValue, data: sent }) => ({ key, metricValue, data: sent }))).toEqual([
      { key: '$ld:ai:duration:total', metricValue: 12.5, data },
      { key: '$ld:ai:tool_call', metricValue: 1, data: { ...data, toolKey: 'x' } },
      { key: '$ld:ai:generation:success', metricValue: 1, data },
    ]);
    expect(JSON.stringify(custom[1]?.data)).toBe(JSON.stringify({ ...data, toolKey: 'x' }));
    expect(custom[0]?.context).toMatchObject(context);
  });
});

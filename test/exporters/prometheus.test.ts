import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PrometheusMetric } from '../../src/exporters/prometheus/series.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

async function findPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function get(port: number, path = '/metrics', options: http.RequestOptions = {}) {
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const asked = http.get({ host: '127.0.0.1', port, path, agent: false, ...options }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, type: String(reply.headers['content-type']), text }),
      );
    });
    asked.on('error', reject);
  });
}

async function start(): Promise<{ one: Rig; port: number }> {
  const port = await findPort();
  rig = await openRig({ exporters: [{ kind: 'prometheus', port }], session: { configKey: 'bot' } });
  const one = rig;
  one.upstream.handler = (asked, response) => {
    asked.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply)).resume();
  };
  for (let at = 1; at <= 2; at += 1) {
    await ask({ port: one.session.port, ca: one.ca, body: chatRequest });
    await one.waitForRecords(at);
  }
  return { one, port };
}

describe('the page for Prometheus', () => {
  it('has the sums and histograms of calls, runs and events, by the names of the conventions', async () => {
    const { one, port } = await start();
    await one.session.close();
    const { status, type, text } = await get(port);
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const call =
      'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="gpt-4o-2024-08-06"';
    const lines = text.split('\n');
    expect(lines).toContain('# TYPE gen_ai_client_inference_duration_seconds histogram');
    expect(lines).toContain(`gen_ai_client_inference_duration_seconds_count{${call}} 2`);
    expect(lines).toContain(`gen_ai_client_inference_duration_seconds_bucket{${call},le="+Inf"} 2`);
    expect(lines).toContain(
      `gen_ai_client_inference_usage_output_tokens_total{${call},gen_ai_token_modality="unknown"} 10`,
    );
    expect(lines).toContain(`llmtap_cost_total{${call}} 0.00014`);
    expect(lines).toContain('llmtap_runs_total{config_key="bot",outcome="success"} 1');
    expect(lines).toContain('llmtap_run_events_total{event="$ld:ai:generation:success"} 1');
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      expect(line).toMatch(/^[a-z_]+(\{([a-z_]+="[^"\n]*",?)+\})? [0-9.e+-]+$/);
    }
    await one.host.close();
    await expect(get(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is on loopback, for readers who come by that name, and nothing else is there', async () => {
    const { port } = await start();
    expect((await get(port, '/metrics', { headers: { host: 'evil.test' } })).status).toBe(403);
    expect((await get(port, '/other')).status).toBe(404);
    expect((await get(port, '/metrics', { method: 'POST' })).status).toBe(405);
  });

  it.each([[0], [70_000], ['http']])('is not opened at %j, which is no port', async (port) => {
    const plan = { kind: 'prometheus', port: port as number } as const;
    await expect(openRig({ exporters: [plan] })).rejects.toMatchObject({ code: 'EXPORTER_INVALID' });
  });

  it('says so when its port is taken', async () => {
    const { port } = await start();
    await expect(openRig({ exporters: [{ kind: 'prometheus', port }] })).rejects.toMatchObject({
      code: 'EXPORTER_INVALID',
      message: expect.stringContaining(`port ${port}`) as string,
    });
  });
});

describe('a metric', () => {
  const counter = { name: 'my.count', unit: '', description: 'Counted.', buckets: null };

  it('counts what comes beyond a thousand label sets together', () => {
    const metric = new PrometheusMetric(counter);
    for (let at = 0; at < 5000; at += 1) metric.add(1, { model: `m-${at}` });
    metric.add(1, { model: 'm-0' });
    const lines = metric.format().trimEnd().split('\n');
    expect(lines).toHaveLength(2 + 1001);
    expect(lines).toContain('my_count_total{model="m-0"} 2');
    expect(lines).toContain('my_count_total{otel_metric_overflow="true"} 4000');
  });

  it('writes what is in a label so that it ends where it ends', () => {
    const metric = new PrometheusMetric(counter);
    metric.add(1, { 'a.b': 'say "\\"\n' });
    expect(metric.format()).toContain('my_count_total{a_b="say \\"\\\\\\"\\n"} 1');
  });

  it('puts a value into the first bucket that holds it, and counts upwards', () => {
    const metric = new PrometheusMetric({ ...counter, unit: 's', buckets: [1, 2] });
    for (const value of [0.5, 1, 1.5, 9]) metric.add(value, {});
    expect(metric.format().split('\n').slice(2, -1)).toEqual([
      'my_count_seconds_bucket{le="1"} 2',
      'my_count_seconds_bucket{le="2"} 3',
      'my_count_seconds_bucket{le="+Inf"} 4',
      'my_count_seconds_sum 12',
      'my_count_seconds_count 4',
    ]);
  });
});

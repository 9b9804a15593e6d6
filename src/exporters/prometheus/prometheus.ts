import http from 'node:http';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { TrackerEvent } from '../../core/events.js';
import type { Exporter, PrometheusPlan } from '../../core/exporting.js';
import { describeCall } from '../otlp/call-attributes.js';
import { listPoints, metricTable } from '../otlp/metric-points.js';
import { type Labels, PrometheusMetric } from './series.js';

/** That of OpenTelemetry's own exporter. */
const usualPort = 9464;
const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Ours besides those of calls. A run's id is no label: each would be a series of its own. */
const ownMetrics = [
  { name: 'llmtap.runs', unit: '', description: 'Runs of configs that ended.', buckets: null },
  { name: 'llmtap.run.events', unit: '', description: 'Events of runs.', buckets: null },
  { name: 'llmtap.faults', unit: '', description: 'Faults of the tap.', buckets: null },
] as const;

/**
 * Serves sums and histograms at `http://127.0.0.1:PORT/metrics` for Prometheus to fetch: nothing is sent, nothing waits.
 *
 * Throws `EXPORTER_INVALID` when the port is taken.
 */
export async function openPrometheus({ port = usualPort, profile = 'latest' }: PrometheusPlan): Promise<Exporter> {
  const metrics = new Map(
    [...metricTable, ...ownMetrics].map((row) => [row.name as string, new PrometheusMetric(row)]),
  );
  const add = (name: string, value: number, labels: Labels): void => metrics.get(name)?.add(value, labels);
  const format = (): string => [...metrics.values()].map((metric) => metric.format()).join('');
  const server = http.createServer((request, response) => answer(request, response, format));
  await listen(server, port);
  return {
    name: `Prometheus at port ${port}`,
    prepare: (event) => {
      count(event, profile, add);
      return null;
    },
    send: () => Promise.resolve(),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Add = (name: string, value: number, labels: Labels) => void;

function count(event: TrackerEvent, profile: NonNullable<PrometheusPlan['profile']>, add: Add): void {
  if (event.type === 'call.completed') {
    // NOTE: the server's address is left out: with a proxy of one's own it has as many values as there are hosts.
    const { 'server.address': _address, 'server.port': _port, ...labels } = describeCall(event.record, profile);
    const texts = Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
    for (const { metric, value, extra } of listPoints(event.record, profile))
      add(metric, value, { ...texts, ...extra });
  } else if (event.type === 'session.closed' && event.outcome !== null) {
    add('llmtap.runs', 1, { config_key: event.session.configKey ?? '', outcome: event.outcome });
  } else if (event.type === 'run.tracked') add('llmtap.run.events', 1, { event: event.event.name });
  else if (event.type === 'fault.occurred') add('llmtap.faults', 1, { code: event.fault.code });
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, format: () => string): void {
  const { method, url = '', headers } = request;
  // A page of the web may have its name lead here; it is to read nothing.
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(headers.host ?? '')) response.writeHead(403).end();
  else if (url.split('?', 1)[0] !== '/metrics') response.writeHead(404).end('See /metrics.\n');
  else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
  else response.writeHead(200, { 'content-type': contentType }).end(method === 'HEAD' ? undefined : format());
}

async function listen(server: http.Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
    });
    // What goes wrong with a connection later is its client's.
    server.removeAllListeners('error').on('error', () => undefined);
    server.unref();
  } catch (error) {
    throw new TrackerError('EXPORTER_INVALID', `Could not serve metrics at port ${port}: ${readErrorMessage(error)}.`, {
      cause: error,
      hint: 'Give a port that is free, as in --prometheus 9465 (in code: port).',
    });
  }
}

import { TrackerError } from '../../core/errors.js';

/**
 * OpenTelemetry's packages, the only file that knows them: optional peers of 15 MB that take 0.3 s to load, so they are
 * loaded with the first event to send.
 */
export async function loadSdk(): Promise<OtelSdk> {
  try {
    const [api, apiLogs, trace, metrics, logs, resources, traces, meters, logging] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/api-logs'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/sdk-logs'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/exporter-metrics-otlp-proto'),
      import('@opentelemetry/exporter-logs-otlp-proto'),
    ]);
    return {
      ...{ api, apiLogs, trace, metrics, logs, resources },
      OtlpTraces: traces.OTLPTraceExporter,
      OtlpMetrics: meters.OTLPMetricExporter,
      OtlpLogs: logging.OTLPLogExporter,
    };
  } catch (error) {
    throw makeMissing(error);
  }
}

export interface OtelSdk {
  readonly api: typeof import('@opentelemetry/api');
  readonly apiLogs: typeof import('@opentelemetry/api-logs');
  readonly trace: typeof import('@opentelemetry/sdk-trace-base');
  readonly metrics: typeof import('@opentelemetry/sdk-metrics');
  readonly logs: typeof import('@opentelemetry/sdk-logs');
  readonly resources: typeof import('@opentelemetry/resources');
  readonly OtlpTraces: typeof import('@opentelemetry/exporter-trace-otlp-proto').OTLPTraceExporter;
  readonly OtlpMetrics: typeof import('@opentelemetry/exporter-metrics-otlp-proto').OTLPMetricExporter;
  readonly OtlpLogs: typeof import('@opentelemetry/exporter-logs-otlp-proto').OTLPLogExporter;
}

export type LogValue = import('@opentelemetry/api-logs').AnyValue;
export type LogAttributes = import('@opentelemetry/api-logs').AnyValueMap;

/** The packages to install. */
export const otelPackages = [
  '@opentelemetry/api',
  '@opentelemetry/api-logs',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-logs',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/exporter-metrics-otlp-proto',
  '@opentelemetry/exporter-logs-otlp-proto',
] as const;

/** Looks for the packages without loading them. Throws `EXPORTER_INVALID` when one is not installed. */
export function requireSdk(): void {
  for (const name of otelPackages) {
    try {
      import.meta.resolve(name);
    } catch (error) {
      throw makeMissing(error);
    }
  }
}

function makeMissing(cause: unknown): TrackerError {
  return new TrackerError('EXPORTER_INVALID', 'Could not export by OTLP: OpenTelemetry’s packages are not installed.', {
    cause,
    hint: `Install them: npm install ${otelPackages.map((name) => `${name}@${findMajor(name)}`).join(' ')}`,
  });
}

/** The lines of versions that take Node 20; the next want 22. */
function findMajor(name: (typeof otelPackages)[number]): string {
  if (name === '@opentelemetry/api') return '1';
  return /-logs$|-proto$/.test(name) ? '0.223' : '2';
}

import { TrackerError } from '../core/errors.js';
import type { Exporter, ExporterPlan, OtlpPlan, PrometheusPlan } from '../core/exporting.js';
import { readTraceparent } from '../core/trace-ids.js';
import { openJsonl } from './jsonl.js';
import { openLangfuse } from './langfuse.js';
import { findContentPlaces } from './otlp/content-places.js';
import { LogsExporter } from './otlp/logs.js';
import { MetricsExporter } from './otlp/metrics.js';
import { requireSdk } from './otlp/sdk.js';
import { TracesExporter } from './otlp/traces.js';
import { openPrometheus } from './prometheus/prometheus.js';

type Variables = Readonly<Record<string, string | undefined>>;

function isHttpUrl(text: unknown): boolean {
  return typeof text === 'string' && /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** Opens what a plan asks for: one exporter a destination that can fail by itself. Throws `EXPORTER_INVALID`. */
export async function openExporters(plan: ExporterPlan, env: Variables): Promise<readonly Exporter[]> {
  const { kind } = plan;
  if (kind === 'jsonl' && typeof plan.path === 'string') return [await openJsonl(plan)];
  if (kind === 'otlp') return openOtlp(plan, env);
  if (kind === 'prometheus') return [await openPrometheus(requirePort(plan))];
  if (kind === 'langfuse') return openLangfuse(plan, env);
  throw new TrackerError('EXPORTER_INVALID', `Could not export to ${JSON.stringify(kind) ?? 'nothing'}.`, {
    hint: 'There are { kind: "jsonl", path }, { kind: "otlp", url }, { kind: "prometheus", port } and { kind: "langfuse" }.',
  });
}

/**
 * One exporter a signal, but those that OpenTelemetry's variables switch off: Langfuse takes traces alone.
 *
 * Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ (read 2026-11-27).
 */
function openOtlp(plan: OtlpPlan, env: Variables): readonly Exporter[] {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return [];
  if (plan.url !== undefined && !isHttpUrl(plan.url)) {
    throw new TrackerError(
      'EXPORTER_INVALID',
      `Could not export to "${String(plan.url).slice(0, 100)}": it is no URL.`,
      {
        hint: 'Give http://HOST:PORT or https://HOST, as in http://localhost:4318.',
      },
    );
  }
  requireSdk();
  const options = { plan, parent: readTraceparent(env.TRACEPARENT), content: findContentPlaces(plan, env) };
  return [
    ...(env.OTEL_TRACES_EXPORTER === 'none' ? [] : [new TracesExporter(options)]),
    ...(env.OTEL_METRICS_EXPORTER === 'none' ? [] : [new MetricsExporter(options)]),
    ...(env.OTEL_LOGS_EXPORTER === 'none' ? [] : [new LogsExporter(options)]),
  ];
}

function requirePort(plan: PrometheusPlan): PrometheusPlan {
  const { port } = plan;
  if (port === undefined || (Number.isInteger(port) && port > 0 && port < 65_536)) return plan;
  throw new TrackerError(
    'EXPORTER_INVALID',
    `Could not serve metrics at "${String(port).slice(0, 40)}": it is no port.`,
    {
      hint: 'Give a number from 1 to 65535.',
    },
  );
}

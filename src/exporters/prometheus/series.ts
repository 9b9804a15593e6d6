import type { MetricRow } from '../otlp/metric-points.js';

/** Values of one metric by its labels, as text of Prometheus. */
export type Labels = Readonly<Record<string, string>>;

/** Label sets of one metric; what comes beyond is counted together, for each set is kept as long as the program runs. */
const mostSeries = 1000;
const longestLabel = 200;
/** As OpenTelemetry's SDKs mark what their limits have put together: `otel.metric.overflow`. */
const overflow: Labels = { otel_metric_overflow: 'true' };

interface Series {
  readonly labels: string;
  sum: number;
  count: number;
  /** Of a histogram: how many values in each bucket alone. */
  readonly buckets: number[];
}

/**
 * One metric in the text format, https://prometheus.io/docs/instrumenting/exposition_formats/ (read 2026-11-27), named as
 * OpenTelemetry's metrics are translated:
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ (read 2026-11-27): `_` for `.`, the unit
 * at the end, `_total` for counters.
 */
export class PrometheusMetric {
  readonly #row: MetricRow;
  readonly #name: string;
  readonly #series = new Map<string, Series>();

  constructor(row: MetricRow) {
    this.#row = row;
    this.#name = `${row.name.replaceAll('.', '_')}${row.unit === 's' ? '_seconds' : ''}${row.buckets === null ? '_total' : ''}`;
  }

  add(value: number, labels: Labels): void {
    const series = this.#find(labels);
    series.sum += value;
    series.count += 1;
    const { buckets } = this.#row;
    if (buckets === null) return;
    const at = buckets.findIndex((bound) => value <= bound);
    series.buckets[at < 0 ? buckets.length : at] = (series.buckets[at < 0 ? buckets.length : at] ?? 0) + 1;
  }

  /** Nothing while there is no value. */
  format(): string {
    if (this.#series.size === 0) return '';
    const kind = this.#row.buckets === null ? 'counter' : 'histogram';
    const lines = [...this.#series.values()].flatMap((series) =>
      this.#row.buckets === null
        ? [`${this.#name}${wrap(series.labels)} ${series.sum}`]
        : this.#formatHistogram(series, this.#row.buckets),
    );
    return `# HELP ${this.#name} ${this.#row.description}\n# TYPE ${this.#name} ${kind}\n${lines.join('\n')}\n`;
  }

  #formatHistogram({ labels, sum, count, buckets }: Series, bounds: readonly number[]): string[] {
    let below = 0;
    const lines = [...bounds, Number.POSITIVE_INFINITY].map((bound, at) => {
      below += buckets[at] ?? 0;
      const le = `le="${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}"`;
      return `${this.#name}_bucket${wrap(labels === '' ? le : `${labels},${le}`)} ${below}`;
    });
    return [...lines, `${this.#name}_sum${wrap(labels)} ${sum}`, `${this.#name}_count${wrap(labels)} ${count}`];
  }

  #find(labels: Labels): Series {
    const text = formatLabels(labels);
    const known = this.#series.get(text);
    if (known !== undefined) return known;
    if (this.#series.size >= mostSeries && labels !== overflow) return this.#find(overflow);
    const series: Series = { labels: text, sum: 0, count: 0, buckets: [] };
    this.#series.set(text, series);
    return series;
  }
}

function wrap(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, '_')}="${escapeLabel(value.slice(0, longestLabel))}"`)
    .join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

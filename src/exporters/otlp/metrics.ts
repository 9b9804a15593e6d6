import type { CallRecord } from '../../core/call-record.js';
import type { TrackerEvent } from '../../core/events.js';
import type { Exporter, Prepared } from '../../core/exporting.js';
import { type Attributes, copyAttributes, describeCall } from './call-attributes.js';
import { exportOnce } from './export-once.js';
import { listPoints, metricTable, type Point } from './metric-points.js';
import { OpenedOnUse } from './opened-on-use.js';
import { loadSdk, type OtelSdk } from './sdk.js';
import { findSchemaUrl, findUrl, makeResource, nameSignal, type SignalOptions } from './signal.js';

/** The points of one call, and whether they are in the sums. */
interface CountedPoints {
  readonly attributes: Attributes;
  readonly points: readonly Point[];
  isCounted: boolean;
}

/** Calls become sums and histograms, which are sent as they stand: an outage loses nothing. */
export class MetricsExporter implements Exporter<CountedPoints> {
  readonly name: string;
  readonly #options: SignalOptions;
  readonly #pipeline: OpenedOnUse<Pipeline>;

  constructor(options: SignalOptions) {
    this.#options = options;
    this.name = nameSignal(options.plan, 'metrics');
    this.#pipeline = new OpenedOnUse(() => openPipeline(options));
  }

  prepare(event: TrackerEvent): Prepared<CountedPoints> | null {
    if (event.type !== 'call.completed') return null;
    return { item: this.#count(event.record), bytes: 2000 };
  }

  #count(record: CallRecord): CountedPoints {
    const profile = this.#options.plan.profile ?? 'latest';
    return { attributes: describeCall(record, profile), points: listPoints(record, profile), isCounted: false };
  }

  async send(items: readonly CountedPoints[]): Promise<void> {
    const pipeline = await this.#pipeline.get();
    for (const item of items) {
      if (!item.isCounted) pipeline.record(item);
      item.isCounted = true;
    }
    await pipeline.send();
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }
}

interface Pipeline {
  record(counted: CountedPoints): void;
  send(): Promise<void>;
  close(): Promise<void>;
}

async function openPipeline({ plan }: SignalOptions): Promise<Pipeline> {
  const sdk = await loadSdk();
  const exporter = new sdk.OtlpMetrics(findUrl(plan, 'metrics'));
  const reader = makeReader(sdk, exporter);
  const provider = new sdk.metrics.MeterProvider({ resource: makeResource(sdk), readers: [reader] });
  const meter = provider.getMeter('llmtap', undefined, { schemaUrl: findSchemaUrl(plan) });
  const record = new Map(
    metricTable.map(({ name, unit, description, buckets }) => {
      if (buckets === null) {
        const counter = meter.createCounter(name, { unit, description });
        return [name, counter.add.bind(counter)] as const;
      }
      const advice = { explicitBucketBoundaries: [...buckets] };
      const histogram = meter.createHistogram(name, { unit, description, advice });
      return [name, histogram.record.bind(histogram)] as const;
    }),
  );
  return {
    record: ({ attributes, points }) => {
      const shared = copyAttributes(attributes);
      for (const { metric, value, extra } of points) record.get(metric)?.(value, { ...shared, ...extra });
    },
    send: async () => exportOnce(exporter, (await reader.collect()).resourceMetrics),
    close: () => exporter.shutdown(),
  };
}

/** Collects when asked; the queue says when. */
function makeReader({ metrics }: OtelSdk, exporter: InstanceType<OtelSdk['OtlpMetrics']>) {
  return new (class extends metrics.MetricReader {
    protected override onForceFlush(): Promise<void> {
      return Promise.resolve();
    }
    protected override onShutdown(): Promise<void> {
      return Promise.resolve();
    }
  })({
    aggregationTemporalitySelector: (type) => exporter.selectAggregationTemporality(type),
    aggregationSelector: (type) => exporter.selectAggregation(type),
  });
}

import type { OtlpPlan } from '../../core/exporting.js';
import type { SpanPlace } from '../../core/trace-ids.js';
import type { ContentPlaces } from './content-places.js';
import { latestSchemaUrl, legacySchemaUrl } from './names.js';
import type { OtelSdk } from './sdk.js';

/** What the exporters of the three signals share. */
export interface SignalOptions {
  readonly plan: OtlpPlan;
  readonly content: ContentPlaces;
  /** The span the whole run is part of, where the program that started it said so. */
  readonly parent: SpanPlace | null;
  /** Besides those of the variables, and over them. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type SignalName = 'traces' | 'metrics' | 'logs';

/** For messages: without what the URL may hold besides the place. */
export function nameSignal({ url }: OtlpPlan, signal: SignalName): string {
  return `the collector${url === undefined ? '' : ` at ${new URL(url).origin}`} (${signal})`;
}

/** Where a signal is sent; the variables decide when the plan says nothing. */
export function findUrl({ url }: OtlpPlan, signal: SignalName): { readonly url?: string } {
  if (url === undefined) return {};
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return { url: base.href };
}

export function findSchemaUrl({ profile }: OtlpPlan): string {
  return profile === 'legacy' ? legacySchemaUrl : latestSchemaUrl;
}

/** The service, as `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say, `llmtap` otherwise. */
export function makeResource({ resources }: OtelSdk) {
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'llmtap' }))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** OpenTelemetry's own form of a time: seconds and nanoseconds since the epoch. */
export function toHrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

import type { OtlpPlan } from '../../core/exporting.js';

/** Where what was said in calls is told. */
export interface ContentPlaces {
  /** As attributes of a call's span. */
  readonly spans: boolean;
  /** As log records. */
  readonly events: boolean;
}

const everywhere: ContentPlaces = { spans: true, events: true };
const nowhere: ContentPlaces = { spans: false, events: false };

/**
 * By `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, as OpenTelemetry's own instrumentations read it: `true` is what
 * older ones know. Source: https://github.com/open-telemetry/opentelemetry-python-contrib, util/opentelemetry-util-genai
 * (README.rst, read 2026-11-27).
 */
const byVariable: Readonly<Record<string, ContentPlaces>> = {
  true: everywhere,
  span_and_event: everywhere,
  span_only: { spans: true, events: false },
  event_only: { spans: false, events: true },
};

/** The plan decides whether, and goes before the variable; the variable decides where, and whether if the plan says nothing. */
export function findContentPlaces(
  { content }: Pick<OtlpPlan, 'content'>,
  env: Readonly<Record<string, string | undefined>>,
): ContentPlaces {
  if (content === false) return nowhere;
  const said = byVariable[env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT?.trim().toLowerCase() ?? ''];
  return said ?? (content === true ? everywhere : nowhere);
}

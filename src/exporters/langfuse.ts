import { TrackerError } from '../core/errors.js';
import type { Exporter, LangfusePlan } from '../core/exporting.js';
import { readTraceparent } from '../core/trace-ids.js';
import { findContentPlaces } from './otlp/content-places.js';
import { requireSdk } from './otlp/sdk.js';
import { TracesExporter } from './otlp/traces.js';

type Variables = Readonly<Record<string, string | undefined>>;

const cloud = 'https://cloud.langfuse.com';

/**
 * Langfuse takes traces alone, at `/api/public/otel`, by basic authentication with its two keys; version 4 is what it asks
 * new senders to say of themselves. Throws `EXPORTER_INVALID`.
 *
 * Source: https://langfuse.com/integrations/native/opentelemetry (read 2026-11-27).
 */
export function openLangfuse({ profile, content }: LangfusePlan, env: Variables): readonly Exporter[] {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return [];
  const { LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey } = env;
  if (!publicKey || !secretKey) {
    const missing = publicKey ? 'LANGFUSE_SECRET_KEY' : 'LANGFUSE_PUBLIC_KEY';
    throw new TrackerError('EXPORTER_INVALID', `Could not export to Langfuse: ${missing} is not set.`, {
      hint: 'Set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, of the settings of your project there.',
    });
  }
  const url = `${readBase(env)}/api/public/otel`;
  requireSdk();
  const login = Buffer.from(`${publicKey}:${secretKey}`).toString('base64');
  const headers = { authorization: `Basic ${login}`, 'x-langfuse-ingestion-version': '4' };
  const plan = { kind: 'otlp', url, ...(profile !== undefined && { profile }) } as const;
  const places = findContentPlaces({ ...(content !== undefined && { content }) }, env);
  return [new TracesExporter({ plan, headers, parent: readTraceparent(env.TRACEPARENT), content: places })];
}

function readBase(env: Variables): string {
  const base = (env.LANGFUSE_BASE_URL || env.LANGFUSE_HOST || cloud).replace(/\/+$/, '');
  if (/^https?:\/\//i.test(base) && URL.canParse(base)) return base;
  throw new TrackerError('EXPORTER_INVALID', `Could not export to Langfuse at "${base.slice(0, 100)}": it is no URL.`, {
    hint: 'Give LANGFUSE_BASE_URL as in https://us.cloud.langfuse.com.',
  });
}

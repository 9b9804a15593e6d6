import { resolve } from 'node:path';
import { TrackerError } from '../core/errors.js';
import type { ExporterPlan, OtlpProfile } from '../core/exporting.js';
import { makeInvalid } from './read-flags.js';

/** Flags that say where events go besides the ledger. */
interface ExporterFlags {
  readonly events?: string | undefined;
  readonly otlp?: string | true | undefined;
  readonly otlpProfile?: OtlpProfile | undefined;
  readonly exportContent?: true | undefined;
  readonly langfuse?: true | undefined;
  readonly prometheus?: number | true | undefined;
}

/** Throws `OPTION_CONFLICT` for content that would go nowhere. */
export function planExporters(
  { events, otlp, otlpProfile, exportContent, langfuse, prometheus }: ExporterFlags,
  env: Readonly<Record<string, string | undefined>>,
): readonly ExporterPlan[] {
  const path = events ?? (env.LLMTAP_EVENTS || undefined);
  const url = otlp ?? (env.LLMTAP_OTLP || undefined);
  const content = exportContent === undefined ? {} : { content: exportContent };
  if (exportContent && path === undefined && url === undefined && langfuse === undefined) {
    throw new TrackerError(
      'OPTION_CONFLICT',
      'Could not use --export-content: nothing that takes content is exported to.',
      {
        hint: 'Give --events FILE, --otlp [URL] or --langfuse, or leave --export-content out.',
      },
    );
  }
  const profile = otlpProfile === undefined ? {} : { profile: otlpProfile };
  return [
    ...(path === undefined ? [] : [{ kind: 'jsonl', path: resolve(path), ...content } as const]),
    ...(url === undefined
      ? []
      : [
          {
            kind: 'otlp',
            ...content,
            ...(url !== true && { url }),
            ...profile,
          } as const,
        ]),
    ...(langfuse === undefined ? [] : [{ kind: 'langfuse', ...content, ...profile } as const]),
    ...(prometheus === undefined
      ? []
      : [{ kind: 'prometheus', ...(prometheus !== true && { port: prometheus }), ...profile } as const]),
  ];
}

export function readOtlpProfile(value: string): OtlpProfile {
  if (value === 'latest' || value === 'legacy' || value === 'both') return value;
  throw makeInvalid('--otlp-profile', value, 'names no set of names', 'Use latest, legacy or both.');
}

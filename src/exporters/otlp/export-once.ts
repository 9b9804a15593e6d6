import { ExportRefused } from '../../core/exporting.js';

/** As every exporter of OpenTelemetry's: one batch, one answer. */
export interface OtelExporter<Batch> {
  export(batch: Batch, onResult: (result: { readonly code: number; readonly error?: Error }) => void): void;
  shutdown(): Promise<void>;
}

/**
 * Statuses after which the same is to be sent again; the exporter itself has tried some times by then.
 *
 * Source: https://opentelemetry.io/docs/specs/otlp/#failures-1 (read 2026-11-27).
 */
const passing: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Rejects with `ExportRefused` when the collector will not have it, else with why it is out of reach. */
export function exportOnce<Batch>(exporter: OtelExporter<Batch>, batch: Batch): Promise<void> {
  return new Promise((resolve, reject) => {
    exporter.export(batch, ({ code, error }) => {
      if (code === 0) resolve();
      else reject(explain(error));
    });
  });
}

/** NOTE: the reply's own text is left out, since a collector may quote what it was sent. */
function explain(error: (Error & { readonly code?: unknown }) | undefined): Error {
  const status = error?.code;
  if (typeof status === 'number') {
    const text = `it answered ${status}`;
    return passing.has(status) ? new Error(text) : new ExportRefused(text);
  }
  return new Error(error?.message || (typeof status === 'string' ? status : 'it gave no answer'));
}

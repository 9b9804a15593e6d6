import type { CallRecord } from '../core/call-record.js';
import type { SqlValue } from './database.js';
import { readJson } from './json-column.js';

/** What of a call is only ever shown with it: one JSON text of its row, so that a new field needs no column. */
type Details = Pick<CallRecord, 'usageDetails' | 'estimatedUsage' | 'streamTiming' | 'receipt' | 'cachedLatencyMs'> & {
  readonly costProblem: string | null;
  readonly costBasis: CallRecord['cost']['basis'];
};

/** `null` when there is nothing to keep. */
export function makeDetailsText(record: CallRecord): string | null {
  const { usageDetails, estimatedUsage, streamTiming, receipt, cachedLatencyMs, cost } = record;
  const details = {
    usageDetails,
    estimatedUsage,
    streamTiming,
    receipt,
    cachedLatencyMs,
    costProblem: cost.problem,
    costBasis: cost.basis,
  };
  const kept = Object.entries(details).filter(([, value]) => value !== null);
  return kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept));
}

/** A damaged text reads as nothing, as do its members of another shape. */
export function readDetails(value: SqlValue | undefined): Details {
  const parsed = readObject<Readonly<Record<string, unknown>>>(readJson(value));
  const problem = parsed?.costProblem;
  return {
    usageDetails: readObject(parsed?.usageDetails),
    estimatedUsage: readObject(parsed?.estimatedUsage),
    streamTiming: readObject(parsed?.streamTiming),
    receipt: readObject(parsed?.receipt),
    cachedLatencyMs: typeof parsed?.cachedLatencyMs === 'number' ? parsed.cachedLatencyMs : null,
    costBasis: readObject(parsed?.costBasis),
    costProblem: typeof problem === 'string' ? problem : null,
  };
}

/** What this program wrote has the shape it wrote. */
function readObject<T extends object>(value: unknown): T | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.freeze(value as T) : null;
}

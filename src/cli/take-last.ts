import type { CallRecord } from '../core/call-record.js';
import type { CallFilter, LedgerReader } from '../core/ledger.js';

export interface LastOptions {
  /** All when absent. */
  readonly limit: number | undefined;
  readonly bodies: boolean;
}

/** The last calls that match, oldest of them first, lazily: no more than `limit` heads and one body are in memory. */
export function* listLast(
  ledger: LedgerReader,
  filter: CallFilter,
  { limit, bodies }: LastOptions,
): Iterable<CallRecord> {
  if (limit === undefined) {
    yield* ledger.listCalls(filter, { bodies });
    return;
  }
  for (const call of takeLast(ledger.listCalls(filter), limit)) yield bodies ? ledger.requireCall(call.callId) : call;
}

/** The last `count` of a sequence, in order. */
export function takeLast<T>(values: Iterable<T>, count: number): readonly T[] {
  let older: readonly T[] = [];
  let newer: T[] = [];
  for (const value of values) {
    if (newer.length === count) {
      older = newer;
      newer = [];
    }
    newer.push(value);
  }
  return [...older, ...newer].slice(-count);
}

import type { CallRecord } from '../../core/call-record.js';
import { formatCost } from './number.js';

type Fact = readonly [label: string, value: string | null];

/** What a call cost, and from which rates; facts there are not are `null`. */
export function listCost({ cost }: Pick<CallRecord, 'cost'>): readonly Fact[] {
  const { basis } = cost;
  return [
    ['cost', formatCost(cost.usd)],
    ['unpriced because', cost.problem],
    ['saved by the cache', cost.savedUsd === null ? null : formatCost(cost.savedUsd)],
    ['said by the reply', cost.reportedUsd === null ? null : formatCost(cost.reportedUsd)],
    ['priced as', basis === null ? null : `${basis.provider} ${basis.model}, ${nameSource(basis)}`],
    ...Object.entries(basis?.rates ?? {}).map(([name, rate]): Fact => [`  ${nameUnit(name)}`, formatRate(name, rate)]),
  ];
}

function nameSource({ source, version }: NonNullable<CallRecord['cost']['basis']>): string {
  return source === 'file' ? `price file ${version}` : `${source} ${version}`;
}

/** `cacheReadTokens` → `cache read tokens`. */
function nameUnit(name: string): string {
  return name.replace(/(\d+[a-z]?|[A-Z])/g, (part) => ` ${part.toLowerCase()}`);
}

/** Tokens by the million as everybody states them, all else by the piece. */
function formatRate(name: string, perMillion: number): string {
  if (name.endsWith('Tokens') || name.endsWith('Characters')) return `$${perMillion} per million`;
  return `$${Number((perMillion / 1e6).toPrecision(6))} each`;
}

import type { PruneOptions, PrunePlan, PruneResult, StoreInfo } from '../../core/ledger.js';
import { formatBytes, formatCount, formatPlural } from './number.js';

/** Whether pruning would leave everything as it is. */
export function isNothing(plan: PrunePlan): boolean {
  return plan.matches === 0 && plan.emptySessions === 0 && !plan.exceedsSize;
}

/** `Delete 12 of 340 calls from …/llmtap.db (1.42 MB)?` */
export function makePruneQuestion(
  plan: PrunePlan,
  { bodiesOnly, maxBytes }: PruneOptions,
  { path, bytes }: Pick<StoreInfo, 'path' | 'bytes'>,
): string {
  const noun = bodiesOnly === true ? 'the bodies of ' : '';
  const steps: string[] = [];
  if (plan.matches > 0) steps.push(`${noun}${formatCount(plan.matches)} of ${formatPlural(plan.total, 'call')}`);
  if (plan.emptySessions > 0) steps.push(`${formatPlural(plan.emptySessions, 'session')} without calls`);
  if (plan.exceedsSize && maxBytes !== undefined) {
    const whose = plan.matches > 0 ? 'more' : `${noun}the oldest of ${formatPlural(plan.total, 'call')}`;
    steps.push(`${whose} until the file has ${formatBytes(maxBytes)} or less`);
  }
  return `Delete ${steps.join(', then ')} from ${path} (${formatBytes(bytes)})?`;
}

/** What was deleted, one line. */
export function formatPruned({ calls, bodies, bytesBefore, bytesAfter }: PruneResult): string {
  const gone = `${formatPlural(calls, 'call')} and the bodies of ${formatPlural(bodies, 'call')}`;
  return `Deleted ${gone}: ${formatBytes(bytesBefore)} → ${formatBytes(bytesAfter)}\n`;
}

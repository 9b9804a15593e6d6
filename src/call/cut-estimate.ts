import type { Outcome } from '../core/call-record.js';
import type { Estimate } from '../core/estimate.js';
import type { EstimatedUsage } from '../core/timing.js';
import type { ReplyFacts } from '../core/wire.js';
import type { BodyCopy } from './body-copy.js';
import { listInputTexts, listOutputTexts } from './passed-texts.js';

/** Whether a reply was cut before it stated its usage: a provider bills what it has answered, whoever hung up. */
export function needsEstimate(
  outcome: Outcome,
  reply: { readonly status: number } | null,
  facts: ReplyFacts | null,
): boolean {
  if (outcome !== 'client_aborted' && outcome !== 'upstream_aborted') return false;
  if (reply === null || reply.status < 200 || reply.status >= 300) return false;
  return facts === null || facts.usage.outputTokens === null;
}

/** Counts what had passed, as far as copies of it were kept, and only what the reply did not state. */
export async function estimateCut(
  estimate: Estimate | null,
  call: {
    readonly facts: ReplyFacts | null;
    readonly model: string | null;
    readonly request: BodyCopy;
    readonly reply: BodyCopy | null;
  },
): Promise<EstimatedUsage | null> {
  const isInputKnown = call.facts !== null && call.facts.usage.inputTokens !== null;
  const input = isInputKnown ? null : listInputTexts(call.request.readText());
  const output = listOutputTexts(call.reply?.readText() ?? null);
  if (estimate === null || (input === null && output === null)) return null;
  return await estimate({ model: call.model, input, output });
}

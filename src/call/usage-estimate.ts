import type { Outcome } from '../core/call-record.js';
import type { Estimate } from '../core/estimate.js';
import type { EstimatedUsage } from '../core/timing.js';
import type { UsageDetails } from '../core/usage.js';
import type { ReplyFacts } from '../core/wire.js';
import type { BodyCopy } from './body-copy.js';
import { listInputTexts, listOutputTexts } from './passed-texts.js';

/** What a provider charges by where it does not by tokens. */
const otherUnits: readonly (keyof UsageDetails)[] = [
  ...(['inputCharacters', 'inputSeconds', 'inputPages', 'outputImages', 'searchUnits'] as const),
];
/** Bodies that are no text, and are not searched for any. */
const mediaType = /^\s*(?:(?:audio|image|video)\/|(?:application|binary)\/(?:octet-stream|grpc))/i;

/** Whether a reply did not come to its end: a provider bills what it has answered, whoever hung up. */
export function isCut(outcome: Outcome): boolean {
  return outcome === 'client_aborted' || outcome === 'upstream_aborted';
}

/** Whether a reply is one whose provider bills and has not said what: cut before it stated its output, or without a word of it. */
export function needsEstimate(
  outcome: Outcome,
  reply: { readonly status: number; readonly contentType: string | null } | null,
  facts: ReplyFacts | null,
): boolean {
  if (reply === null || reply.status < 200 || reply.status >= 300 || mediaType.test(reply.contentType ?? ''))
    return false;
  if (facts === null) return isCut(outcome);
  const { usage, usageDetails } = facts;
  if (usage.outputTokens !== null) return false;
  if (isCut(outcome)) return true;
  const isByOthers = otherUnits.some((unit) => usageDetails?.[unit] !== undefined);
  return outcome === 'ok' && usage.inputTokens === null && usage.totalTokens === null && !isByOthers;
}

/**
 * Counts what had passed, as far as copies of it were kept, and only what the reply did not state. Of a whole reply, only
 * where the model wrote something: what is billed of others nobody can tell from their texts.
 */
export async function estimateUsage(
  estimate: Estimate | null,
  call: {
    readonly isCut: boolean;
    readonly facts: ReplyFacts | null;
    readonly model: string | null;
    readonly request: BodyCopy;
    readonly reply: BodyCopy | null;
  },
): Promise<EstimatedUsage | null> {
  const isInputKnown = call.facts !== null && call.facts.usage.inputTokens !== null;
  const texts = isInputKnown ? null : listInputTexts(call.request.readText());
  const input = texts === null || texts.length === 0 ? null : texts;
  const output = listOutputTexts(call.reply?.readText() ?? null);
  if (estimate === null || (output === null && (input === null || !call.isCut))) return null;
  return await estimate({ model: call.model, input, output });
}

import type { CallRecord, Outcome, Protocol } from '../core/call-record.js';
import { type Cost, type PriceCall, unknownCost } from '../core/cost.js';
import type { BodyPolicy } from '../core/ledger.js';
import type { SessionIds } from '../core/session.js';
import type { EstimatedUsage, Receipt } from '../core/timing.js';
import { type Usage, unknownUsage } from '../core/usage.js';
import type { OutputTimes, RawHeaders, ReplyFacts, RequestFacts, RequestHead } from '../core/wire.js';
import type { BodyCopy } from './body-copy.js';
import { findHeader } from './headers.js';
import { redactBody, redactText, redactUrl } from './redaction.js';
import { collectSecrets, type SecretSet } from './secrets.js';
import { makeStreamTiming } from './stream-timing.js';

const STOPPED_BY_CLOUDFLARE =
  'Cloudflare stopped the request before the provider saw it, which it may do to a TLS handshake it does not know; ' +
  'with this host in NO_PROXY the program goes direct, unrecorded';

/** Everything one exchange left behind. */
export interface CallEnd {
  readonly callId: string;
  readonly sessionId: string;
  readonly ids: SessionIds;
  readonly head: RequestHead;
  readonly protocol: Protocol;
  readonly match: { readonly provider: string; readonly dialect: { readonly api: string } };
  readonly request: RequestFacts;
  /** The model a router chose, when the request went upstream with it. */
  readonly routedModel: string | null;
  /** What the tap logged in with in the client's place: secrets, like the client's own. */
  readonly sentHeaders?: RawHeaders;
  readonly requestCopy: BodyCopy;
  readonly requestBytes: number;
  /** `null` when no reply came. */
  readonly reply: {
    readonly status: number;
    readonly rawHeaders: readonly string[];
    readonly contentType: string | null;
    readonly isEventStream: boolean;
    readonly copy: BodyCopy;
    readonly wireBytes: number;
    readonly facts: ReplyFacts;
    readonly outputTimes: OutputTimes | null;
  } | null;
  readonly outcome: Outcome;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly estimatedUsage: EstimatedUsage | null;
  readonly times: {
    readonly startedAt: string;
    readonly latencyMs: number;
    readonly timeToFirstByteMs: number | null;
    readonly timeToFirstTokenMs: number | null;
  };
  /** Milliseconds the tap's thread has worked on the call until it is asked; `null` when nobody measured. */
  readonly selfMs: (() => number) | null;
  readonly receipt: Receipt | null;
  readonly changes: readonly string[];
  /** For a reply from a cache: how long the provider took for it, where that is known; `null` for any other. */
  readonly cached: { readonly latencyMs: number | null } | null;
  readonly requestId: string | null;
  readonly wireSession: Readonly<Record<string, string>> | null;
  /** Whether the tap answered itself and asked nobody: then nothing was used, which is known, and nothing is to pay. */
  readonly notSent?: boolean;
  readonly price: PriceCall;
  readonly bodies: BodyPolicy;
  readonly ambientSecrets: readonly string[];
}

/** Makes the one record of a call: the only place where records are made. Secrets are gone when it returns. */
export function makeRecord(end: CallEnd): CallRecord {
  const { head, request, reply } = end;
  const url = formatUrl(head);
  const secrets = collectSecrets({
    requestHeaders: end.sentHeaders === undefined ? head.rawHeaders : [...head.rawHeaders, ...end.sentHeaders],
    responseHeaders: reply?.rawHeaders ?? [],
    url,
    ambient: end.ambientSecrets,
  });
  const clean = (text: string): string => redactText(text, secrets);
  const cleanOrNull = (text: string | null): string | null => (text === null ? null : clean(text));
  const usage = end.notSent === true ? noUsage : (reply?.facts.usage ?? unknownUsage);
  const routedModel = end.routedModel ?? request.model;
  return Object.freeze({
    callId: end.callId,
    sessionId: end.sessionId,
    ...end.ids,
    provider: end.match.provider,
    api: end.match.dialect.api,
    method: head.method,
    url: redactUrl(url, secrets),
    requestedModel: cleanOrNull(request.model),
    routedModel: cleanOrNull(routedModel),
    model: cleanOrNull(reply?.facts.model ?? routedModel),
    stream: request.stream || (reply?.isEventStream ?? false),
    status: reply?.status ?? 0,
    outcome: end.outcome,
    partial: reply !== null && !reply.facts.complete && reply.status < 300,
    protocol: end.protocol,
    usage,
    usageProblem: cleanOrNull(explainUsage(end, usage)),
    usageDetails: reply?.facts.usageDetails ?? null,
    estimatedUsage: end.estimatedUsage,
    cost: priceCall(end, { usage, routedModel, clean: cleanOrNull }),
    serviceTier: cleanOrNull(reply?.facts.serviceTier ?? null),
    ...end.times,
    streamTiming: makeStreamTiming(reply?.outputTimes ?? null, usage),
    receipt: end.receipt,
    cached: end.cached !== null,
    cachedLatencyMs: end.cached?.latencyMs ?? null,
    finishReasons: (reply?.facts.finishReasons ?? []).map(clean),
    toolCalls: (reply?.facts.toolCalls ?? []).map(clean),
    responseId: cleanOrNull(reply?.facts.responseId ?? null),
    requestId: cleanOrNull(end.requestId),
    wireSession: end.wireSession === null ? null : mapValues(end.wireSession, clean),
    requestBytes: end.requestBytes,
    responseBytes: reply?.wireBytes ?? 0,
    error: makeError(end, clean),
    changes: end.changes.map(clean),
    requestBody: keepBody(end, secrets, 'request'),
    responseBody: keepBody(end, secrets, 'reply'),
    // Last: what stands above is the tap's own work, too.
    selfMs: end.selfMs?.() ?? null,
  });
}

const noUsage: Usage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  totalTokens: 0,
});
const noCost: Cost = Object.freeze({ ...unknownCost, usd: 0 });

interface PricedParts {
  readonly usage: Usage;
  readonly routedModel: string | null;
  readonly clean: (text: string | null) => string | null;
}

/** NOTE: prices are found by what the wire says; a problem may repeat it, and is told without secrets. */
function priceCall(end: CallEnd, { usage, routedModel, clean }: PricedParts): Cost {
  if (end.notSent === true) return noCost;
  const facts = end.reply?.facts;
  const models = [facts?.model ?? null, routedModel].filter((model) => model !== null);
  const cost = end.price({
    provider: end.match.provider,
    url: formatUrl(end.head).split('?')[0] ?? '',
    models: [...new Set(models)],
    usage,
    usageDetails: facts?.usageDetails ?? null,
    serviceTier: facts?.serviceTier ?? null,
    startedAt: end.times.startedAt,
    cached: end.cached !== null,
    reportedUsd: facts?.reportedUsd ?? null,
  });
  return Object.freeze({ ...cost, problem: clean(cost.problem) });
}

export function formatUrl({ origin, path }: RequestHead): string {
  const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host;
  const usual = origin.port === (origin.scheme === 'https' ? 443 : 80);
  return `${origin.scheme}://${host}${usual ? '' : `:${origin.port}`}${path}`;
}

function explainUsage(end: CallEnd, usage: Usage): string | null {
  if (usage.inputTokens !== null && usage.outputTokens !== null) return null;
  if (end.reply === null) return 'No reply came, so nothing was counted.';
  return end.reply.facts.usageProblem ?? 'The reply states no usage.';
}

function makeError(end: CallEnd, clean: (text: string) => string): CallRecord['error'] {
  const stated = end.reply?.facts.error ?? null;
  if (end.error !== null) return { code: end.error.code, message: clean(end.error.message) };
  if (end.outcome === 'http_error') {
    const status = end.reply?.status ?? 0;
    const why = stated?.message ?? explainRefusal(end.reply?.rawHeaders ?? []);
    const message = why === null ? `HTTP ${status}` : `HTTP ${status}: ${why}`;
    return { code: clean(stated?.code ?? 'HTTP_STATUS'), message: clean(message) };
  }
  return stated === null ? null : { code: clean(stated.code), message: clean(stated.message) };
}

/**
 * Cloudflare marks what it answers in its server's place, as it does when it does not know the TLS handshake:
 * https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response (read 2026-11-27).
 */
function explainRefusal(rawHeaders: readonly string[]): string | null {
  return findHeader(rawHeaders, 'cf-mitigated') === null ? null : STOPPED_BY_CLOUDFLARE;
}

function keepBody(end: CallEnd, secrets: SecretSet, side: 'request' | 'reply'): CallRecord['requestBody'] {
  if (end.bodies === 'none') return null;
  const copy = side === 'request' ? end.requestCopy : end.reply?.copy;
  const text = copy?.readText() ?? null;
  if (text === null) return null;
  const contentType =
    side === 'request' ? findHeader(end.head.rawHeaders, 'content-type') : (end.reply?.contentType ?? null);
  return redactBody({ text, contentType, policy: end.bodies, secrets });
}

function mapValues(values: Readonly<Record<string, string>>, map: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

import { NOT_PASSED_ON } from '../call/changes.js';
import type { CallRecord } from '../core/call-record.js';
import type { RunFacts, RunVerdict } from '../core/host.js';
import { CONFIG_EVENTS, findFact, type GivenEvent } from '../core/run-events.js';
import type { RunOutcome, Session } from '../core/session.js';
import { ConfigTracker } from '../trackers/config-tracker.js';
import { UnionTime } from './union-time.js';

/** So many tool calls are kept for the end, as in a tracker's summary. */
const maxToolCalls = 10_000;
const toolCalls = 'tool calls';
/** Starts are known to the millisecond: of two calls that ended within one, that ended later which was recorded later. */
const startPrecisionMs = 1;

interface FirstCall {
  readonly startMs: number;
  readonly timeToFirstTokenMs: number | null;
  readonly model: string;
  readonly provider: string;
}

interface TokenSums {
  total: number;
  input: number;
  output: number;
  /** Calls that do not state them all. */
  unknownCalls: number;
}

/**
 * The run of a session's config, as the wire tells it: a fold over the records of its calls, of which the end of the session
 * makes events. What the caller has stated by then is the caller's.
 */
export class SessionRun {
  readonly #session: Session & { readonly configKey: string };
  readonly #facts: RunFacts;
  readonly #stated = new Set<string>();
  readonly #time = new UnionTime();
  readonly #tokens: TokenSums = { total: 0, input: 0, output: 0, unknownCalls: 0 };
  readonly #toolCalls: { readonly toolKey: string; readonly callId: string }[] = [];
  #moreToolCalls = 0;
  #calls = 0;
  #first: FirstCall | null = null;
  /** The outcome by its caller's word; `error` where it said both. */
  #said: 'success' | 'error' | null = null;
  #last: { readonly endMs: number; readonly outcome: RunOutcome } | null = null;

  constructor(session: Session & { readonly configKey: string }, facts: RunFacts) {
    this.#session = session;
    this.#facts = facts;
  }

  /** A caller's event of this run: what it states the wire does not. */
  hear(eventName: string): void {
    if (eventName === CONFIG_EVENTS.error) this.#said = 'error';
    if (eventName === CONFIG_EVENTS.success) this.#said ??= 'success';
    this.#stated.add(eventName === CONFIG_EVENTS.toolCall ? toolCalls : (findFact(eventName) ?? eventName));
  }

  note(record: CallRecord): void {
    this.#calls += 1;
    const startMs = Date.parse(record.startedAt);
    const endMs = startMs + record.latencyMs;
    this.#time.add(startMs, endMs);
    this.#addTokens(record);
    for (const toolKey of record.toolCalls) {
      if (this.#toolCalls.length < maxToolCalls) this.#toolCalls.push({ toolKey, callId: record.callId });
      else this.#moreToolCalls += 1;
    }
    // Nobody got it: what the call came to, and when its reply began, says the try that followed, which may end before.
    if (record.changes.includes(NOT_PASSED_ON)) return;
    if (this.#first === null || startMs < this.#first.startMs) {
      const { timeToFirstTokenMs, provider } = record;
      this.#first = { startMs, timeToFirstTokenMs, provider, model: record.requestedModel ?? record.model ?? '' };
    }
    if (this.#last === null || endMs > this.#last.endMs - startPrecisionMs)
      this.#last = { endMs, outcome: readOutcome(record) };
  }

  /** @param verdict of who did it; a run that failed by it is no success, whatever its caller said, or its calls were */
  decide(verdict: RunVerdict | null): RunOutcome {
    if (verdict === 'error' || verdict === 'aborted') return verdict;
    if (this.#said !== null) return this.#said;
    if (this.#last === null) return 'empty';
    return this.#last.outcome;
  }

  /**
   * What the caller has not stated: duration, time to first token, outcome, tokens, tool calls, in this order. An empty run
   * states nothing; one that was aborted is an error, with `outcome` to tell it from others.
   */
  conclude(outcome: RunOutcome, { nowMs }: { readonly nowMs: number }): GivenEvent[] {
    const events: GivenEvent[] = [];
    const tracker = this.#openTracker(events, nowMs);
    const unless = (fact: string, state: () => void): void => {
      if (!this.#stated.has(fact)) state();
    };
    if (this.#calls > 0) unless('duration', () => tracker.trackDuration(this.#time.totalMs));
    const firstMs = this.#first?.timeToFirstTokenMs ?? null;
    if (firstMs !== null) unless('time to first token', () => tracker.trackTimeToFirstToken(firstMs));
    if (outcome === 'success') unless('outcome', () => tracker.trackSuccess());
    else if (outcome !== 'empty') unless('outcome', () => tracker.trackError());
    unless('tokens', () => tracker.trackTokens(this.#tokens));
    unless(toolCalls, () => {
      for (const { toolKey } of this.#toolCalls) tracker.trackToolCall(toolKey);
    });
    return events.map((event) => this.#addDetails(event, outcome));
  }

  /** Tool calls that are counted and not told. */
  get untoldToolCalls(): number {
    return this.#stated.has(toolCalls) ? 0 : this.#moreToolCalls;
  }

  #addTokens({ usage: { inputTokens, outputTokens, totalTokens } }: CallRecord): void {
    this.#tokens.input += inputTokens ?? 0;
    this.#tokens.output += outputTokens ?? 0;
    this.#tokens.total += totalTokens ?? (inputTokens ?? 0) + (outputTokens ?? 0);
    if (inputTokens === null || outputTokens === null) this.#tokens.unknownCalls += 1;
  }

  #openTracker(events: GivenEvent[], nowMs: number): ConfigTracker {
    const { configKey, variationKey, version, runId, sessionId, graphKey } = this.#session;
    const { context = { kind: 'llmtap', key: configKey, anonymous: true }, dedupe, ...facts } = this.#facts;
    let toolCall = 0;
    // One text for all of them, which may be ten thousand.
    const contextText = JSON.stringify(context);
    const give = (name: string, _: object, data: object, value: number): void => {
      const call = name === CONFIG_EVENTS.toolCall ? { callId: this.#toolCalls[toolCall++]?.callId } : {};
      events.push({
        eventId: `${sessionId}-${events.length}`,
        ...{ name, value, sessionId, source: 'wire', atMs: nowMs },
        data: JSON.stringify({ ...data, ...call }),
        context: contextText,
        owner: dedupe === 'run' ? sessionId : null,
      });
    };
    return new ConfigTracker({
      sink: { track: give },
      ...{ context, configKey, variationKey, version, runId, graphKey },
      ...{ modelName: this.#first?.model, providerName: this.#first?.provider, ...facts },
    });
  }

  #addDetails(event: GivenEvent, outcome: RunOutcome): GivenEvent {
    const { unknownCalls } = this.#tokens;
    const isError = event.name === CONFIG_EVENTS.error;
    const isPartial = findFact(event.name) === 'tokens' && unknownCalls > 0;
    if (!(isError && outcome === 'aborted') && !isPartial) return event;
    const data = JSON.parse(event.data) as object;
    return { ...event, data: JSON.stringify({ ...data, ...(isPartial ? { unknownCalls } : { outcome }) }) };
  }
}

/** What the last call says of a run nobody else has judged. */
function readOutcome({ outcome, error }: CallRecord): RunOutcome {
  if (outcome === 'client_aborted') return 'aborted';
  return outcome === 'ok' && error === null ? 'success' : 'error';
}

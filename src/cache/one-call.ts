// Longer than 250 lines: the cache in one call, whose every step shares its state.
import {
  type CacheAnswer,
  type CachedCall,
  type CacheEnd,
  type CacheQuestion,
  type CallCache,
  refusedChange,
} from '../core/call-cache.js';
import { isGrpc } from '../core/grpc.js';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { CacheEntry, CacheOutcome, CacheStore, CacheUse } from '../core/response-cache.js';
import type { RawHeaders } from '../core/wire.js';
import { listSources, makeOtherForm } from './forms/other-form.js';
import { type CacheKey, hideNames, makeCacheKey, makeKeyId } from './key.js';
import { Recording, type RecordingPorts } from './recording.js';
import { answerRefusal } from './refusal.js';
import { replayEntry } from './replay.js';

export interface OneCallPorts extends Pick<RecordingPorts, 'openDecoder' | 'clockMs' | 'nowMs'> {
  readonly store: () => CacheStore;
  /** Calls that are under way, by key and variant. */
  readonly recordings: Map<string, Recording>;
  readonly isShared: (asked: Pick<CacheQuestion, 'head' | 'match'>) => boolean;
  readonly onFault: (error: unknown) => void;
}

/** An entry, and what is answered: itself, or what was made of it. */
interface Found {
  readonly kept: CacheEntry;
  readonly entry: CacheEntry;
}

/** The cache in the life of one call. */
export class OneCall implements CallCache {
  readonly #call: CachedCall & { readonly use: CacheUse };
  readonly #ports: OneCallPorts;
  /** A call of gRPC has no key: it is refused where the cache alone is asked. */
  readonly waitsForRequest: boolean;
  #key: CacheKey | null = null;
  #question: CacheQuestion | null = null;
  #outcome: CacheOutcome = 'unkeyed';
  #reason: string | null = 'The request was not read whole.';
  #recording: Recording | null = null;
  /** Whose reply is waited for. */
  #joined: Recording | null = null;
  #isLeft = false;
  #isOver = false;

  constructor(call: CachedCall & { readonly use: CacheUse }, ports: OneCallPorts) {
    this.#call = call;
    this.#ports = ports;
    this.waitsForRequest = !isGrpc(call.head);
  }

  ask(question: CacheQuestion): Promise<CacheAnswer | null> | CacheAnswer | null {
    try {
      return this.#ask(question);
    } catch (error) {
      this.#ports.onFault(error);
      return this.#call.use.mode === 'only' ? this.#refuse('The cache failed.') : null;
    }
  }

  #ask(question: CacheQuestion): Promise<CacheAnswer | null> | CacheAnswer | null {
    this.#question = question;
    const { use } = this.#call;
    const { head, match } = question;
    const { store, recordings, isShared } = this.#ports;
    const reading = makeCacheKey(
      {
        ...{ provider: match.provider, api: match.dialect.api, origin: head.origin, rawHeaders: head.rawHeaders },
        ...{ path: head.path, body: question.body, stream: question.stream, isShared: isShared(question) },
      },
      store().salt,
    );
    if (!reading.ok) {
      this.#reason = reading.reason;
      return use.mode === 'only' ? this.#refuse(reading.reason) : null;
    }
    const { variant } = reading.key;
    if (variant.includes(' ') && this.#call.hasSecret(variant, null)) {
      this.#reason = 'The call has no key, for what it says of its stream holds a credential.';
      return use.mode === 'only' ? this.#refuse(this.#reason) : null;
    }
    const key = hideNames(reading.key, this.#call.hasSecret);
    this.#key = key;
    this.#reason = null;
    const found = use.mode === 'refresh' ? null : this.#find(key);
    if (found !== null) return this.#hit(found);
    const underWay = recordings.get(makeKeyId(key));
    if (use.mode !== 'refresh' && underWay?.shared.isJoinable === true) return this.#join(underWay);
    const made = use.mode === 'refresh' ? null : this.#findOtherForm(key);
    if (made !== null) return this.#hit(made);
    return use.mode === 'only' ? this.#refuseMiss() : this.#lead(key);
  }

  onRefused(): void {
    // What is sent next asks for something else, and what comes back is not what this key stands for.
    this.#recording?.fail(new Error('the request was refused as it was changed'));
    this.#reason = 'The reply was not kept: its provider did not take the request as it was changed.';
  }

  onNotSent(reason: string): void {
    this.#recording?.fail(new Error('the request was not sent'));
    this.#reason = reason;
  }

  refuseUnread(): CacheAnswer | null {
    return this.#call.use.mode === 'only' ? this.#refuse('The request was not read whole.') : null;
  }

  onReplyStart(control: ReplyControl): ReplyControl {
    return this.#recording?.shared.lead(control) ?? control;
  }

  onReplyHead(status: number, rawHeaders: RawHeaders): void {
    this.#recording?.onHead(status, rawHeaders);
  }

  onReplyData(chunk: Buffer): void {
    this.#recording?.onData(chunk);
  }

  takeOver(): ReplyHandler | null {
    const recording = this.#recording;
    // Once the provider has said all, what the others have still to take comes from what is held.
    if (this.#isOver || recording === null || recording.shared.followers === 0) return null;
    this.#isLeft = true;
    return recording.makeHeir();
  }

  end(end: CacheEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#joined?.shared.leave(this);
    if (this.#recording === null || this.#isLeft) return this.#noteLookup();
    this.#recording.end(end).then(
      () => this.#noteLookup(),
      (error: unknown) => {
        this.#recording?.fail(new Error('it could not be kept'));
        this.#ports.onFault(error);
      },
    );
  }

  #find(key: CacheKey): Found | null {
    const kept = this.#ports.store().find(key.key, key.variant);
    this.#outcome = kept === null ? 'miss' : 'expired';
    return kept !== null && this.#isFresh(kept) ? { kept, entry: kept } : null;
  }

  /** The reply as it was kept in another form, where the one can be made of the other. */
  #findOtherForm({ key, variant }: CacheKey): Found | null {
    for (const source of listSources(this.#call.match.dialect.api, variant)) {
      const kept = this.#ports.store().find(key, source);
      const entry = kept !== null && this.#isFresh(kept) ? makeOtherForm(kept, variant) : null;
      if (kept !== null && entry !== null) return { kept, entry };
    }
    return null;
  }

  #isFresh(entry: CacheEntry): boolean {
    const nowMs = this.#ports.nowMs();
    const { ttlMs = Number.POSITIVE_INFINITY } = this.#call.use;
    return nowMs - entry.storedAtMs < ttlMs && nowMs < (entry.expiresAtMs ?? Number.POSITIVE_INFINITY);
  }

  #hit({ kept, entry }: Found): CacheAnswer {
    this.#outcome = 'hit';
    this.#ports.store().noteUse(kept, this.#ports.nowMs());
    const { replaySpeed = Number.POSITIVE_INFINITY } = this.#call.use;
    const made = entry === kept ? '' : `made from the ${kept.variant === 'json' ? 'JSON' : 'stream'} `;
    return {
      how: 'hit',
      answer: (handler) => replayEntry(entry, replaySpeed, handler),
      originalLatencyMs: () => entry.latencyMs,
      change: `reply: from the cache, ${made}kept from call ${entry.callId} on ${new Date(entry.storedAtMs).toISOString()}`,
    };
  }

  #lead(key: CacheKey): null {
    const { recordings, store } = this.#ports;
    const { callId, use, hasSecret } = this.#call;
    if (use.mode === 'refresh') this.#outcome = 'refresh';
    const id = makeKeyId(key);
    const question = this.#question;
    if (question === null) return null;
    const recording = new Recording(
      { callId, key, question: { ...question, body: Buffer.alloc(0) }, match: question.match, use, hasSecret },
      {
        ...this.#ports,
        put: (entry) => store().put(entry),
        onOver: () => {
          if (recordings.get(id) === recording) recordings.delete(id);
        },
        onKept: (reason) => {
          this.#reason ??= reason;
        },
      },
    );
    this.#recording = recording;
    if (!recordings.has(id)) recordings.set(id, recording);
    return null;
  }

  async #join(recording: Recording): Promise<CacheAnswer | null> {
    this.#joined = recording;
    const isThere = await recording.shared.join(this);
    this.#joined = null;
    if (this.#isOver) return null;
    if (!isThere) {
      if (this.#call.use.mode === 'only') return this.#refuseMiss();
      // NOTE: by itself, not one after the other behind a new first: a thousand would wait for a thousand failures.
      return this.#key === null ? null : this.#lead(this.#key);
    }
    this.#outcome = 'shared';
    const { shared } = recording;
    return {
      how: 'shared',
      answer: (handler) => shared.play(handler),
      originalLatencyMs: () => shared.latencyMs,
      change: 'reply: shared with an equal call that was under way',
    };
  }

  #refuseMiss(): CacheAnswer {
    return this.#refuse('The cache does not have it (llmtap cache why tells the nearest entry).');
  }

  #refuse(why: string): CacheAnswer {
    this.#outcome = 'refused';
    const { api } = this.#call.match.dialect;
    const message = `llmtap: the cache alone was to be asked (cache mode "only"), and the provider was not. ${why}`;
    return {
      how: 'refused',
      answer: (handler) => answerRefusal(api, message, handler),
      originalLatencyMs: () => null,
      change: `${refusedChange}, for the cache does not have it`,
    };
  }

  #noteLookup(): void {
    try {
      this.#writeLookup();
    } catch (error) {
      this.#ports.onFault(error);
    }
  }

  #writeLookup(): void {
    const { callId, match } = this.#call;
    const isAnswered = this.#outcome === 'hit' || this.#outcome === 'shared';
    this.#ports.store().noteLookup({
      ...{ callId, atMs: this.#ports.nowMs(), api: match.dialect.api, url: this.#question?.url ?? '' },
      ...{ key: this.#key?.key ?? null, variant: this.#key?.variant ?? null },
      parts: isAnswered ? null : (this.#key?.parts() ?? null),
      outcome: this.#outcome,
      reason: this.#reason,
    });
  }
}

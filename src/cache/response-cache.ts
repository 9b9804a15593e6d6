import type { CachedCall, CallCache, ResponseCache } from '../core/call-cache.js';
import type { Clock } from '../core/clock.js';
import type { CacheStore } from '../core/response-cache.js';
import type { Origin, RawHeaders } from '../core/wire.js';
import { readCacheUse } from './control.js';
import { OneCall, type OneCallPorts } from './one-call.js';
import type { Recording, RecordingPorts } from './recording.js';
import { findHeader } from './reply-headers.js';

export interface ResponseCacheOptions {
  /** Called once, by the first call that uses the cache: one nobody uses makes no file. */
  readonly openStore: () => CacheStore;
  readonly openDecoder: RecordingPorts['openDecoder'];
  readonly clock: Clock;
  /** Servers the user has registered: who stands behind them is not known. */
  readonly registered: () => readonly Origin[];
  readonly onFault: (sessionId: string | null, message: string, hint: string | null) => void;
}

/** Built-in providers that ask others, by an account's own settings, or serve one account's own plan. */
const gateways: ReadonlySet<string> = new Set([
  ...['openrouter', 'vercel-ai-gateway', 'opencode-zen', 'huggingface', 'github-copilot', 'github-models'],
  ...['chatgpt-codex', 'gemini-cli-oauth', 'azure-ai-foundry'],
]);

/** The cache of one host: what its sessions' calls have in common. */
export function openResponseCache(options: ResponseCacheOptions): ResponseCache {
  return new OpenedCache(options);
}

class OpenedCache implements ResponseCache {
  readonly #options: ResponseCacheOptions;
  readonly #recordings = new Map<string, Recording>();
  readonly #told = new Set<string>();
  #store: CacheStore | null = null;
  #isClosed = false;

  constructor(options: ResponseCacheOptions) {
    this.#options = options;
  }

  open(call: CachedCall): CallCache | null {
    const { rawHeaders } = call.head;
    const use = readCacheUse(rawHeaders, call.use, (problem) => this.#tellControl(call.sessionId, problem));
    if (use === null) return null;
    // One that is to be answered by the cache alone is refused, not let through.
    if (use.mode !== 'only' && (this.#isClosed || !isReadable(rawHeaders))) return null;
    return new OneCall({ ...call, use }, this.#ports);
  }

  clear(): number {
    return this.#isClosed ? 0 : this.#requireStore().clear();
  }

  flush(): boolean {
    return this.#store?.flush() ?? true;
  }

  close(): void {
    this.#isClosed = true;
    this.#store?.close();
  }

  readonly #ports: OneCallPorts = {
    store: () => this.#requireStore(),
    recordings: this.#recordings,
    openDecoder: (coding, sink) => this.#options.openDecoder(coding, sink),
    clockMs: () => this.#options.clock.monotonicMs(),
    nowMs: () => Date.parse(this.#options.clock.nowIso()),
    isShared: ({ match, head }) => gateways.has(match.provider) || this.#isRegistered(head.origin),
    onFault: (error) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.onFault(null, `The cache failed: ${why}. The call itself went through.`, 'Please report it.');
    },
  };

  #requireStore(): CacheStore {
    if (this.#store === null && this.#isClosed) throw new Error('it is closed');
    this.#store ??= this.#options.openStore();
    return this.#store;
  }

  #isRegistered({ scheme, host, port }: Origin): boolean {
    return this.#options
      .registered()
      .some((origin) => origin.scheme === scheme && origin.host === host && origin.port === port);
  }

  #tellControl(sessionId: string, problem: string): void {
    if (this.#told.has(sessionId) || this.#told.size > 10_000) return;
    this.#told.add(sessionId);
    const message = `A call's x-llmtap-cache header was not heeded: ${problem}. This is told once a session.`;
    this.#options.onFault(sessionId, message, 'Write on, off, refresh or only, and ttl=90s, 5m, 12h or 7d.');
  }
}

/** Whether a request may be JSON in no content coding, which is what has a key. */
function isReadable(rawHeaders: RawHeaders): boolean {
  if (findHeader(rawHeaders, 'content-encoding') !== null) return false;
  const type = findHeader(rawHeaders, 'content-type');
  return type === null || /json|^text\/plain/i.test(type);
}

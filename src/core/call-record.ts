import type { Cost } from './cost.js';
import type { SessionIds } from './session.js';
import type { EstimatedUsage, Receipt, StreamTiming } from './timing.js';
import type { Usage, UsageDetails } from './usage.js';

/**
 * How an exchange ended.
 *
 * - `ok`: a whole reply with a 1xx–3xx status
 * - `http_error`: a whole reply with a status of 400 or more
 * - `upstream_error`: no reply at all (refused, unreachable, certificate not verified)
 * - `upstream_aborted`: the provider cut the reply
 * - `client_aborted`: the client went away first, (`SESSION_CLOSED`) its session was closed under it, or (`CLIENT_LAGGED`) it
 *   was cut for those it shared the reply with. One that leaves a stream which has said its end (`response.completed`,
 *   `[DONE]` …) has its whole reply: `ok`
 */
export type Outcome = 'ok' | 'http_error' | 'upstream_error' | 'upstream_aborted' | 'client_aborted';

/** What the client spoke. */
export type Protocol = 'http/1.1' | 'h2' | 'websocket';

/** JSON as `JSON.parse` gives it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * The fact that remains of one call to a model. Frozen. Its field names are a public contract (README, "The
 * record").
 */
export interface CallRecord extends SessionIds {
  /** UUIDv4. */
  readonly callId: string;
  readonly sessionId: string;
  /** Who answered: `openai`, `anthropic`, `google`, `groq` …, or the name the user registered. */
  readonly provider: string;
  /** Which API: `chat.completions`, `responses`, `messages`, `generateContent` … */
  readonly api: string;
  readonly method: string;
  /** With secrets removed from the query. */
  readonly url: string;
  /** The model the client asked for. */
  readonly requestedModel: string | null;
  /** The model the request went upstream with. */
  readonly routedModel: string | null;
  /** The model the reply names, else the routed one. */
  readonly model: string | null;
  readonly stream: boolean;
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  readonly outcome: Outcome;
  /** Whether the reply did not come to its own end: what it had stated by then is counted. */
  readonly partial: boolean;
  readonly protocol: Protocol;
  readonly usage: Usage;
  /** Why a count of `usage` is null; `null` when input and output are both known. */
  readonly usageProblem: string | null;
  /** What else the reply states of its usage; `null` when nothing. */
  readonly usageDetails: UsageDetails | null;
  /** A count of ours where the reply was cut before it stated one, or never stated any; `null` for any other call. */
  readonly estimatedUsage: EstimatedUsage | null;
  readonly cost: Cost;
  /** The tier the reply says it was served by (`default`, `flex`, `priority`, `batch` …). */
  readonly serviceTier: string | null;
  /** UTC, ISO 8601, when the request head reached the tap. */
  readonly startedAt: string;
  /** Milliseconds from the request head to the last byte of the reply. */
  readonly latencyMs: number;
  /** Milliseconds from the request head to the head of the reply; `null` when none came. */
  readonly timeToFirstByteMs: number | null;
  /** Milliseconds from the request head to the first piece of model output; `null` outside streams. */
  readonly timeToFirstTokenMs: number | null;
  /** `null` outside streams. */
  readonly streamTiming: StreamTiming | null;
  /**
   * Milliseconds the tap's thread worked on this call: reading, routing, redacting. Relaying its bytes is not in it, nor
   * setting a stream's pieces aside until they are read, nor what TLS and the system did. `null` when not measured.
   */
  readonly selfMs: number | null;
  /** `null` when not taken. */
  readonly receipt: Receipt | null;
  /** Answered from the cache, or by an equal call's reply that was under way: the provider was not asked. */
  readonly cached: boolean;
  /** Milliseconds the provider took when the reply was its own; `null` where it was not `cached`. */
  readonly cachedLatencyMs: number | null;
  readonly finishReasons: readonly string[];
  /** Names of the tools the model called, in order. */
  readonly toolCalls: readonly string[];
  /** The id the reply's body gives itself. */
  readonly responseId: string | null;
  /** The id the provider's headers give the request. */
  readonly requestId: string | null;
  /** What the agent said of itself on the wire: header or body names to values. */
  readonly wireSession: Readonly<Record<string, string>> | null;
  /** Body bytes as on the wire, encodings included. */
  readonly requestBytes: number;
  /** As `requestBytes`, of the reply. */
  readonly responseBytes: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What the tap changed on the wire for this call; empty when bytes went through untouched. */
  readonly changes: readonly string[];
  /** Parsed JSON, or text; `null` when not kept. */
  readonly requestBody: JsonValue;
  readonly responseBody: JsonValue;
}

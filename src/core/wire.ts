import type { JsonValue } from './call-record.js';
import type { Crossing } from './crossing.js';
import type { Pieces } from './pieces.js';
import type { SocketMatch } from './socket.js';
import type { Usage, UsageDetails } from './usage.js';

/** Where a connection is meant to go: what the client named, not where `--connect-to` sends it. */
export interface Origin {
  readonly scheme: 'https' | 'http';
  /** Lower case, no trailing dot, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Raw headers as Node gives them: name, value, name, value … in the order and case of the wire. */
export type RawHeaders = readonly string[];

/** The head of one request as far as recognising it needs. */
export interface RequestHead {
  readonly origin: Origin;
  readonly method: string;
  /** Path and query as sent, beginning with `/`. */
  readonly path: string;
  readonly rawHeaders: RawHeaders;
}

/** What a request to a model asks for. */
export interface RequestFacts {
  /** From the body or, where the dialect keeps it there, the URL. */
  readonly model: string | null;
  readonly stream: boolean;
  /** What agents say of themselves in the body (`prompt_cache_key`, `metadata.user_id` …). */
  readonly wireSession: Readonly<Record<string, string>> | null;
}

/** What a reply says, once it has ended or was cut. */
export interface ReplyFacts {
  readonly model: string | null;
  readonly usage: Usage;
  readonly usageProblem: string | null;
  readonly usageDetails: UsageDetails | null;
  readonly serviceTier: string | null;
  /** US dollars, by the reply's own word. */
  readonly reportedUsd: number | null;
  readonly finishReasons: readonly string[];
  readonly toolCalls: readonly string[];
  readonly responseId: string | null;
  /** The error the body states, whatever the status: `{ code, message }`. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** `monotonicMs` of the first piece of model output; `null` outside streams. */
  readonly firstTokenAtMs: number | null;
  /** Whether the dialect's own end was seen (`[DONE]`, `message_stop` …); always true outside streams. */
  readonly complete: boolean;
  /** Whether a stream has said that nothing of it follows, whoever closes it then; false outside streams. */
  readonly saidEnd: boolean;
}

/** When the pieces of model output of a stream came; times are `monotonicMs`, gaps milliseconds. */
export interface OutputTimes {
  readonly pieces: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** `null` below two pieces. */
  readonly gapP50Ms: number | null;
  readonly gapP95Ms: number | null;
  readonly longestGapMs: number | null;
  /** Gaps of more than `stallMs`. */
  readonly stalls: number;
  readonly stallMs: number;
}

/**
 * Reads one reply as it passes. Fed decoded bytes (content encodings removed); never throws: what it could
 * not read becomes `usageProblem`.
 */
export interface ReplyReader {
  /**
   * @param bytes valid until the call returns
   * @param atMs `monotonicMs` at which the bytes arrived
   */
  write(bytes: Uint8Array, atMs: number): void;
  /** As `write` of each of the pieces in a block. Absent where that is all it would do. */
  writeBlock?(block: Buffer, pieces: Pieces): void;
  /** What follows the body, before `end`. Absent where nothing is read there. */
  readTrailers?(findTrailer: FindHeader): void;
  /** The facts so far, however the reply ended. May be called once. */
  end(): ReplyFacts;
  /** After `end`; `null` outside streams, and for a stream without output. Absent where nobody watches. */
  outputTimes?(): OutputTimes | null;
}

/** The first header of this name (lower case); `null` when there is none. */
export type FindHeader = (name: string) => string | null;

/** Reads a request whose body is not JSON, as it passes; never throws. */
export interface RequestReader {
  /** Feeds decoded bytes. */
  write(bytes: Uint8Array): void;
  /** The document that `readRequest` takes; `null` when it could not be read. May be called once. */
  end(): JsonValue;
}

/** The head of a reply, as far as reading its body needs. */
export interface ReplyHead {
  readonly status: number;
  readonly contentType: string | null;
  /** Absent where heads are not at hand. */
  readonly findHeader?: FindHeader;
  /**
   * Takes what may be kept of a body that is no text, an AWS event stream: its messages, one JSON value a line, or else
   * its bytes. Absent where the bytes are kept as they are, or nothing is.
   */
  readonly keep?: (kept: string | Uint8Array) => void;
}

/** What of a request may say which model is meant. */
export interface ModelRequest {
  /** The whole body, no content coding on it. */
  readonly body: Buffer;
  /** Path and query as sent. */
  readonly path: string;
}

/** One API of one wire dialect: how to read its requests and replies. Pure. */
export interface Dialect {
  /** The record's `api`: `chat.completions`, `messages` … */
  readonly api: string;
  /** Reads a parsed request body (`null` when it was no JSON object) and the URL. Never throws. */
  readRequest(body: JsonValue, path: string): RequestFacts;
  openReply(head: ReplyHead, request: RequestFacts): ReplyReader;
  /** Absent where requests are JSON, or a form. */
  openRequest?(findHeader: FindHeader): RequestReader;
  /**
   * The same request for another model, put wherever `readRequest` reads it from, every other byte kept; `undefined`
   * when it cannot be put there. Never throws. Absent where the dialect names no model.
   */
  withModel?(request: ModelRequest, model: string): ModelRequest | undefined;
}

/** A request recognised as a call to a model. */
export interface ProviderMatch {
  readonly provider: string;
  readonly dialect: Dialect;
  /**
   * Whether a stream whose client did not ask for usage may be asked for it upstream by
   * `stream_options.include_usage` (and the extra frame hidden again): only where the provider takes it.
   */
  readonly canAskForStreamUsage: boolean;
}

/** Where a provider serves an API. */
export interface ApiAddress {
  readonly origin: Origin;
  /** Without a query. */
  readonly path: string;
  readonly match: ProviderMatch;
  /** Where the provider has a form of its own for the API, with the model in its path already; absent where it has none. */
  readonly crossing?: Crossing;
}

/** What is to be asked of another provider. */
export interface AskedAddress {
  /** Of the call, as its client makes it. */
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream: boolean;
  /** The region of a cloud; the environment's when absent. */
  readonly region?: string | undefined;
  /** The project at Google Cloud; the environment's when absent. */
  readonly project?: string | undefined;
}

/** How a host is registered by the user: `{ name: 'ollama', baseUrl: 'http://localhost:11434' }`. */
export interface ProviderRegistration {
  readonly name: string;
  /** Scheme, host and port; a path prefix is allowed and must then precede the API's own path. */
  readonly baseUrl: string;
  /** `openai` when absent. */
  readonly dialect?: 'openai' | 'anthropic' | 'google';
  /** Further paths (exact, or with `*` for one segment) that are chat completions of that dialect. */
  readonly pathPatterns?: readonly string[];
}

/** Knows every provider: built in and registered. */
export interface ProviderRegistry {
  /** Whether the origin belongs to a provider, so that its TLS is terminated. */
  isProvider(origin: Origin): boolean;
  /** The call this request is, or `undefined` when it is none: host AND path AND method decide. */
  recognise(head: RequestHead): ProviderMatch | undefined;
  /**
   * A request to a built-in provider, to a path that is not in its list, that may be a call: its body decides. `undefined`
   * for one that cannot be, and for what `recognise` knows.
   */
  recogniseUnlisted(head: RequestHead): ProviderMatch | undefined;
  /** The socket this upgrade (a GET) asks for, or `undefined` when it carries no calls that are read. */
  recogniseSocket(head: RequestHead): SocketMatch | undefined;
  /**
   * Where another provider serves the API of a dialect, the model of the call in its path at most. Throws nothing: a sentence says why
   * there is no such place.
   */
  findAddress(provider: string, asked: AskedAddress): ApiAddress | { readonly problem: string };
  /** Takes effect at once. Throws `PROVIDER_INVALID`. */
  register(registration: ProviderRegistration): void;
  /** Host names of built-in providers without wildcards, the most used first: their leaves are made ahead. */
  readonly knownHosts: readonly string[];
  /** Registered origins, for the child's `NO_PROXY`. */
  readonly registered: readonly Origin[];
}

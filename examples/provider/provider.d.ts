import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** What a request asks the model, whatever its dialect. */
export interface Ask {
  readonly model: string;
  /** System prompt and tools: the part of the prompt that can be cached. */
  readonly stable: unknown;
  /** The conversation. */
  readonly turns: unknown;
  /** Whether the caller's dialect and request let the stable part be cached. */
  readonly isCached: boolean;
  /** Whether the conversation already holds an answer of the model. */
  readonly hasAnswered: boolean;
  /** What the user said last. */
  readonly lastText: string;
  /** What a tool answered, when that is the last thing in the conversation. */
  readonly toolResult: string | null;
  /** The tool to call, when tools are offered. */
  readonly tool: { readonly name: string; readonly schema: unknown } | null;
  /** Most tokens of the answer, thinking included. */
  readonly maxTokens: number | null;
  /** Whether the model reasons before it answers. */
  readonly thinks: boolean;
}

export interface ToolCall {
  readonly name: string;
  /** What the tool is grouped under: of OpenAI's responses alone. */
  readonly namespace?: string;
  readonly input: unknown;
}

export interface Answer {
  /** What the model thought before it spoke; empty when it did not. */
  readonly thought: string;
  readonly text: string;
  readonly toolCall: ToolCall | null;
}

/** Token counts of one call as llmtap's record names them; `null` where the dialect does not state the count. */
export interface Bill {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly totalTokens: number | null;
}

/** What a dialect answers a request with: one JSON body, or frames each written by itself. */
export interface Reply {
  readonly model: string;
  readonly responseId: string | null;
  /** `null` when the call is not billed, as for a list of models. */
  readonly bill: Bill | null;
  /** Whether the reply tells the bill: a stream of OpenAI's does so only when asked. */
  readonly tellsBill: boolean;
  readonly contentType: string;
  /** The body, or the frames of a stream. */
  readonly body: string | Iterable<string | Uint8Array>;
  /** Of this reply alone. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request on its way to a dialect. */
export interface Call {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body; an empty object when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: the body is whatever a client sent
  readonly body: any;
  /** Of the route's path. */
  readonly match: RegExpExecArray;
  /** Lets the model answer. */
  readonly speak: (ask: Ask) => { readonly answer: Answer & { readonly isCut: boolean }; readonly bill: Bill };
}

export interface Route {
  /** As llmtap's record names it: `chat.completions`, `messages` … */
  readonly api: string;
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** Whether the route takes a request with these headers, where the path alone does not tell the dialect. */
  accepts?(headers: IncomingHttpHeaders): boolean;
  answer(call: Call): Reply;
}

export interface Dialect {
  readonly provider: 'openai' | 'anthropic' | 'google' | 'google-vertex' | 'aws-bedrock';
  readonly routes: readonly Route[];
  hasKey(call: { readonly headers: IncomingHttpHeaders; readonly url: URL }): boolean;
  /** Headers of every reply; those that carry the request id first of all. */
  makeHeaders(requestId: string | null): Record<string, string>;
  /** `null` where the dialect's headers name no request. */
  makeRequestId(): string | null;
  /** The body of an error reply. */
  makeFailure(failure: Failure): string;
  /** The frame that reports an error inside a stream. */
  makeErrorFrame(failure: Failure): string | Uint8Array;
  /** Headers of an error reply besides. */
  makeFailureHeaders?(failure: Failure): Readonly<Record<string, string>>;
}

export interface Failure {
  readonly status: number;
  readonly message: string;
  readonly requestId: string | null;
  readonly url: URL;
}

/** What the provider saw of one request and did about it. Grows while the request is served. */
export interface SeenRequest {
  readonly method: string;
  /** `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** Path and query as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Bytes of the body as received, content encoding included. */
  readonly bodyBytes: number;
  /** The parsed JSON body; `null` when there was none, it is larger than 1 MiB, or newer ones took its room. */
  // biome-ignore lint/suspicious/noExplicitAny: the body is whatever a client sent
  body: any;
  /** Whether a stream was asked for its usage by `stream_options.include_usage`. */
  readonly asksForUsage: boolean;
  /** `null` when the path belongs to no dialect. */
  provider: 'openai' | 'anthropic' | 'google' | 'google-vertex' | 'aws-bedrock' | null;
  api: string | null;
  stream: boolean;
  /** 0 until a reply began. */
  status: number;
  requestId: string | null;
  responseId: string | null;
  /** What was billed, whether or not the reply told it; `null` when nothing was. */
  bill: Bill | null;
  /** Whether the reply told the bill. */
  tellsBill: boolean;
  /** How it ended; `null` while under way. */
  end: 'whole' | 'cut' | 'client_gone' | null;
  /** Frames written of a stream. */
  frames: number;
}

export interface ExampleProviderOptions {
  /** 0, a free one, when absent. */
  readonly port?: number;
  /** `127.0.0.1` when absent. */
  readonly host?: string;
  /**
   * One key and a certificate for each host name, PEM, as `makeExampleCertificates` makes them; the first is for
   * clients that name no host. Without it the provider speaks plain HTTP, as local models do.
   */
  readonly tls?: { readonly key: string; readonly certs: Readonly<Record<string, string>> };
  /** Over TLS, choose HTTP/2 for clients that offer it, HTTP/1.1 for the others. Off when absent. */
  readonly http2?: boolean;
  /** Takes requests for another protocol, as WebSockets are; their connection is cut when absent. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Further routes, tried before the dialects' own; errors of theirs have OpenAI's shape. */
  readonly routes?: readonly Route[];
  /** Milliseconds between the frames of a stream; 0 when absent: each frame is still a write of its own. */
  readonly pauseMs?: number;
  /** Compress replies as the client's accept-encoding allows; `true` prefers br over gzip over deflate. */
  readonly compress?: boolean | 'br' | 'gzip' | 'deflate';
  /** Refuse requests without a key by 401. On with TLS, off without, when absent. */
  readonly requiresKey?: boolean;
  /** What `retry-after` says of a refused request, in seconds; 1 when absent. */
  readonly retryAfterSeconds?: number;
  /** Answers in the model's place. */
  readonly answer?: (ask: Ask) => Answer;
  /** Called with each request when it is over. */
  readonly onServed?: (seen: SeenRequest) => void;
}

export interface ExampleProvider {
  readonly port: number;
  /** `https://127.0.0.1:PORT`, or `http://…` without TLS. */
  readonly url: string;
  /** Every request so far, oldest first; the newest 10,000 are kept. */
  readonly requests: readonly SeenRequest[];
  /** Ends every connection, then the listener; may be called twice. */
  close(): Promise<void>;
}

export function openExampleProvider(options?: ExampleProviderOptions): Promise<ExampleProvider>;

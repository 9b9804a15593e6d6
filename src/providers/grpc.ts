import type { JsonValue } from '../core/call-record.js';
import { unknownUsage } from '../core/usage.js';
import type {
  Dialect,
  FindHeader,
  OutputTimes,
  ReplyFacts,
  ReplyHead,
  ReplyReader,
  RequestFacts,
  RequestReader,
} from '../core/wire.js';
import { GEMINI_METHODS, VERTEX_METHODS } from './grpc-google.js';
import type { GrpcMethod } from './grpc-method.js';
import { type GrpcStatus, readGrpcStatus } from './grpc-status.js';
import { XAI_METHODS } from './grpc-xai.js';
import { findText } from './json-fields.js';
import type { ReplyLanguage } from './reply-language.js';
import { type MessageReader, openMessageReader } from './reply-reader.js';
import { GrpcMessages } from './wire/grpc-messages.js';
import { readProtoMessage } from './wire/protobuf.js';

const MAX_MODEL_CHARS = 256;

/** A method whose replies nobody reads. */
const unreadLanguage: ReplyLanguage = {
  lookedFor: 'nothing',
  streamHint: null,
  noOutput: null,
  noUsage: 'the messages of this method of gRPC are not read by this version',
  readDocument: () => undefined,
  listSources: () => ({ input: [], output: [] }),
  makeUsage: () => unknownUsage,
};

/**
 * Calls by gRPC of one method: its messages are read as documents, by the words of the provider's JSON API, so that the
 * same answer gives the same numbers; its status is read in the trailers. Source for the protocol:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (read 2026-11-27).
 */
function makeGrpcDialect(method: GrpcMethod): Dialect {
  return {
    api: 'grpc',
    readRequest: (body) => readRequest(method, body),
    openRequest: (findHeader) => new GrpcRequestReader(method, findHeader),
    openReply: (head) => new GrpcReplyReader(method, head),
  };
}

function readRequest(method: GrpcMethod, body: JsonValue): RequestFacts {
  const named = findText(body, 'model');
  const model = named === undefined ? null : (method.readModel ?? String)(named);
  return { model: model?.slice(0, MAX_MODEL_CHARS) ?? null, stream: method.stream, wireSession: null };
}

/** Reads the first message of a request; what a client streams behind it adds to it, and is another's to read. */
class GrpcRequestReader implements RequestReader {
  readonly #messages: GrpcMessages;
  #document: JsonValue = null;

  constructor(method: GrpcMethod, findHeader: FindHeader) {
    this.#messages = new GrpcMessages({
      encoding: findHeader('grpc-encoding'),
      onMessage: (message) => {
        this.#document ??= readProtoMessage(message, method.request) ?? null;
      },
      // A request that cannot be read has no model: its reply may name it.
      onProblem: () => undefined,
    });
  }

  write(bytes: Uint8Array): void {
    this.#messages.write(bytes);
  }

  end(): JsonValue {
    return this.#document;
  }
}

class GrpcReplyReader implements ReplyReader {
  readonly #method: GrpcMethod;
  readonly #head: ReplyHead;
  readonly #reader: MessageReader;
  readonly #messages: GrpcMessages;
  #atMs = 0;
  #status: GrpcStatus | null = null;

  constructor(method: GrpcMethod, head: ReplyHead) {
    this.#method = method;
    this.#head = head;
    this.#reader = openMessageReader(method.language ?? unreadLanguage, method.stream ? 'messages' : 'message', head);
    this.#messages = new GrpcMessages({
      encoding: head.findHeader?.('grpc-encoding') ?? null,
      onMessage: (message) => this.#read(message),
      onProblem: (problem) => this.#reader.report(problem),
    });
  }

  write(bytes: Uint8Array, atMs: number): void {
    this.#atMs = atMs;
    this.#messages.write(bytes);
  }

  readTrailers(findTrailer: FindHeader): void {
    this.#status = readGrpcStatus(findTrailer);
  }

  end(): ReplyFacts {
    const status = this.#status ?? readGrpcStatus(this.#head.findHeader ?? (() => null));
    if (status !== null && status.error === null) this.#reader.noteEnd();
    const facts = this.#reader.end();
    // The status is the end of every reply, also of one that failed.
    return { ...facts, error: facts.error ?? status?.error ?? null, complete: status !== null };
  }

  outputTimes(): OutputTimes | null {
    return this.#reader.outputTimes();
  }

  #read(message: Buffer): void {
    const document = readProtoMessage(message, this.#method.reply ?? {});
    if (document === undefined) this.#reader.report('A message of gRPC could not be read.');
    else this.#reader.readMessage(document, this.#atMs);
  }
}

/** One method: its path, a pattern whose `*` is the version, and how its calls are read. */
export interface GrpcApi {
  readonly path: string;
  readonly dialect: Dialect;
}

export const GEMINI_GRPC = listApis('google.ai.generativelanguage.*.GenerativeService/', GEMINI_METHODS);
export const VERTEX_GRPC = listApis('google.cloud.aiplatform.*.PredictionService/', VERTEX_METHODS);
export const XAI_GRPC = listApis('xai_api.', XAI_METHODS);

function listApis(prefix: string, methods: Readonly<Record<string, GrpcMethod>>): readonly GrpcApi[] {
  return Object.entries(methods).map(([name, method]) => ({
    path: `/${prefix}${name}`,
    dialect: makeGrpcDialect(method),
  }));
}

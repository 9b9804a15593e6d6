import type { ReplyLanguage } from './reply-language.js';
import type { ProtoFields } from './wire/protobuf.js';

/** How the messages of one method of gRPC are read: as documents, by the words of a JSON API. */
export interface GrpcMethod {
  /** Of the request: `model` alone. */
  readonly request: ProtoFields;
  /** `null` where the messages of the reply are not read. */
  readonly reply: ProtoFields | null;
  readonly language: ReplyLanguage | null;
  /** Whether the reply is several messages. */
  readonly stream: boolean;
  /** The model as the JSON API names it. */
  readonly readModel?: (name: string) => string | null;
}

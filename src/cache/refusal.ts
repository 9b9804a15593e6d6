import { makeGrpcFailure } from '../core/grpc.js';
import type { ReplyHandler } from '../core/reply.js';

/** FAILED_PRECONDITION: no policy of gRPC's asks again after it. https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const grpcStatus = 9;
/** Not among the statuses that SDKs ask again after: 408, 409, 429 and 5xx. */
const status = 412;

const googleApis = /^(?:stream)?generateContent$|^interactions$|embedContent|^batchEmbed|^predict$|^rawPredict/i;
const bedrockApis = /^converse|^invokeModel/;
/** Of ollama, whose errors are `error`, and of Cohere, whose are `message`. */
const plainApis = /^(?:chat|generate|embed)$/;

/**
 * A refusal by the tap in words the client's SDK reads as an error of its provider. Sources, read 2026-11-27 as the error
 * classes of the npm packages `openai` 6.49, `@anthropic-ai/sdk` 1.11, `@google/genai` 2.32 and
 * `@aws-sdk/client-bedrock-runtime` 3.1164.
 */
export function makeRefusal(api: string, message: string): { readonly rawHeaders: string[]; readonly body: Buffer } {
  const body = Buffer.from(`${JSON.stringify(makeErrorBody(api, message))}\n`);
  return {
    rawHeaders: [
      ...['Content-Type', 'application/json', 'Content-Length', String(body.length), 'x-should-retry', 'false'],
      ...(bedrockApis.test(api) ? ['x-amzn-errortype', 'ValidationException'] : []),
    ],
    body,
  };
}

export function answerRefusal(api: string, message: string, handler: ReplyHandler): void {
  let isOver = false;
  const ignore = (): void => undefined;
  const abort = (): void => {
    isOver = true;
  };
  handler.onStart({ pause: ignore, resume: ignore, abort });
  if (isOver) return;
  if (api === 'grpc') {
    handler.onHead(200, 'OK', makeGrpcFailure(grpcStatus, message), true);
    return handler.onEnd([]);
  }
  const { rawHeaders, body } = makeRefusal(api, message);
  handler.onHead(status, 'Precondition Failed', rawHeaders);
  handler.onData(body);
  handler.onEnd([]);
}

function makeErrorBody(api: string, message: string): object {
  if (api === 'messages' || api === 'complete') {
    return { type: 'error', error: { type: 'invalid_request_error', message } };
  }
  if (googleApis.test(api)) return { error: { code: status, message, status: 'FAILED_PRECONDITION' } };
  if (bedrockApis.test(api)) return { message };
  if (plainApis.test(api)) return { message, error: message };
  return { error: { message, type: 'invalid_request_error', param: null, code: 'cache_only_miss' } };
}

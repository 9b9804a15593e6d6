import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BilledRequest } from '../../examples/demo/compare.js';
import { Refusal } from '../../examples/provider/behaviour.js';
import { answerResponse } from '../../examples/provider/dialects/openai-responses.js';
import { billFor, limitAnswer } from '../../examples/provider/model.js';
import type { Answer, Ask } from '../../examples/provider/provider.js';

/** OpenAI's responses over WebSockets, as the example provider gives them over HTTP. */
export interface ResponsesSocket {
  /** Each `response.create`; one that only warms up has no bill. */
  readonly seen: BilledRequest[];
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  close(): void;
}

type Json = Readonly<Record<string, unknown>>;

const silence: Answer = { thought: '', text: '', toolCall: null };

/**
 * The messages are the events of the stream over HTTP, a message each; `generate: false` gets an empty response. Source:
 * `codex-rs/codex-api/src/endpoint/responses_websocket.rs` of https://github.com/openai/codex (read 2026-11-27).
 */
export function openResponsesSocket(answer: (ask: Ask) => Answer): ResponsesSocket {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
  const seen: BilledRequest[] = [];
  const speak = (ask: Ask, isWarmUp: boolean) => {
    const said = limitAnswer(ask, isWarmUp ? silence : answer(ask));
    return { answer: said, bill: billFor(ask, said) };
  };
  const respond = (socket: WebSocket, request: IncomingMessage, body: Json): void => {
    if (body.type !== 'response.create') return;
    const url = new URL(request.url ?? '/', 'http://provider.invalid');
    const match = /^/u.exec('') as RegExpExecArray;
    const isWarmUp = body.generate === false;
    const call = { url, headers: request.headers, body: { ...body, stream: true }, match };
    const reply = answerResponse({ ...call, speak: (ask) => speak(ask, isWarmUp) });
    seen.push({ api: 'responses', responseId: reply.responseId, bill: isWarmUp ? null : reply.bill });
    for (const frame of reply.body as Iterable<string>) {
      const message = JSON.parse(/^data: (.*)$/mu.exec(frame)?.[1] ?? '');
      if (!isWarmUp) socket.send(JSON.stringify(message));
      else if (/^response\.(?:created|completed)$/u.test(message.type)) socket.send(JSON.stringify(empty(message)));
    }
  };
  return {
    seen,
    onUpgrade: (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket
          .on('error', () => undefined)
          .on('message', (data: Buffer) => {
            try {
              respond(webSocket, request, JSON.parse(data.toString()));
            } catch (error) {
              if (!(error instanceof Refusal)) throw error;
              webSocket.send(JSON.stringify(makeError(error)));
            }
          });
      }),
    close: () => {
      for (const client of server.clients) client.terminate();
    },
  };
}

function empty(message: { readonly response: Json }): Json {
  const usage = message.response.usage === null ? null : { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  return { ...message, response: { ...message.response, output: [], usage } };
}

function makeError({ status, message }: Refusal): Json {
  return { type: 'error', status, error: { type: 'invalid_request_error', code: 'invalid_request', message } };
}

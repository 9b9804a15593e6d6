import { isUtf8 } from 'node:buffer';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { pickReplyHeaders } from '../cache/reply-headers.js';
import type { PieceTimes } from '../core/response-cache.js';
import type {
  FormBody,
  Interaction,
  RecordedMessage,
  RecordedReply,
  ReplyEnding,
  RequestForm,
  SocketInteraction,
} from './interaction.js';

type Json = Readonly<Record<string, unknown>>;

const endings: readonly ReplyEnding[] = ['whole', 'cut', 'left', 'unreached'];

/** An interaction as a line of JSON. A body is text where that is what it is, base64 where it is not. */
export function formatInteraction(interaction: Interaction | SocketInteraction): string {
  if ('socket' in interaction) return `${JSON.stringify(interaction)}\n`;
  const { body, ...rest } = interaction.reply;
  const said = isUtf8(body) ? { text: body.toString('utf8') } : { base64: body.toString('base64') };
  return `${JSON.stringify({ ...interaction, reply: { ...rest, ...said } })}\n`;
}

/**
 * The interaction a line of a cassette holds; `null` for what is none. A cassette is a file anybody may have written: what is
 * given here can be played, whatever stands in it. Headers that no head may carry are left out, and those of framing.
 */
export function readInteraction(saved: Json): Interaction | SocketInteraction | null {
  const { seq, callId, latencyMs } = saved;
  const request = readRequest(saved.request);
  if (request === null || !isCount(seq) || !isTime(latencyMs)) return null;
  if (isObject(saved.socket)) {
    const socket = readSocket(saved.socket);
    return socket === null ? null : { seq, callId: null, latencyMs, request, socket };
  }
  const reply = isObject(saved.reply) ? readReply(saved.reply) : null;
  if (reply === null || typeof callId !== 'string') return null;
  return { seq, callId, latencyMs, request, reply };
}

function readSocket({ protocol, messages, closed }: Json): SocketInteraction['socket'] | null {
  const isNamed = protocol === null || (isText(protocol) && /^[\w!#$%&'*+.^`|~-]{1,1000}$/.test(protocol));
  if (!isNamed || !Array.isArray(messages) || !messages.every(isMessage)) return null;
  return isClosed(closed) ? { protocol, messages, closed } : null;
}

function isMessage(message: unknown): message is RecordedMessage {
  if (!isObject(message) || !isSide(message.from) || !isTime(message.atMs)) return false;
  return message.text === undefined ? isText(message.base64) : isText(message.text);
}

function isClosed(closed: unknown): closed is SocketInteraction['socket']['closed'] {
  if (closed === null) return true;
  if (!isObject(closed) || !isSide(closed.by) || !isText(closed.reason)) return false;
  return closed.code === null || (isCount(closed.code) && closed.code < 65_536);
}

const isSide = (value: unknown): value is RecordedMessage['from'] => value === 'client' || value === 'server';

function readRequest(saved: unknown): RequestForm | null {
  if (!isObject(saved)) return null;
  const { provider, api, method, origin, path, variant, query, headers, body } = saved;
  const texts = [provider, api, method, origin, path, variant];
  const isForm = texts.every(isText) && isPairs(query) && isPairs(headers) && isFormBody(body);
  return isForm ? (saved as unknown as RequestForm) : null;
}

function isFormBody(body: unknown): body is FormBody {
  if (!isObject(body)) return false;
  return 'json' in body ? body.json === null || isObject(body.json) : isText(body.sha256) && isCount(body.bytes);
}

function readReply(saved: Json): RecordedReply | null {
  const { status, isStream, problem } = saved;
  const body = readBody(saved);
  const ending = endings.find((one) => one === saved.ending);
  if (body === null || ending === undefined || typeof isStream !== 'boolean' || !isProblem(problem)) return null;
  const isReply = ending === 'unreached' ? status === 0 : isCount(status) && status >= 200 && status <= 999;
  if (!isReply || !isTexts(saved.rawHeaders) || !isTexts(saved.rawTrailers)) return null;
  if (!isPieces(saved.pieces, body.length)) return null;
  const { contentLength } = saved;
  if (contentLength !== undefined && !isCount(contentLength)) return null;
  const [rawHeaders, rawTrailers] = [pickHeaders(saved.rawHeaders), pickSendable(saved.rawTrailers)];
  return {
    ...{ status: Number(status), rawHeaders, rawTrailers, body },
    pieces: saved.pieces,
    isStream,
    ...(contentLength !== undefined && { contentLength }),
    ending,
    problem,
  };
}

function readBody({ text, base64 }: Json): Buffer | null {
  if (text !== undefined) return isText(text) ? Buffer.from(text, 'utf8') : null;
  return isText(base64) ? Buffer.from(base64, 'base64') : null;
}

function pickHeaders(rawHeaders: readonly string[]): string[] {
  const sendable = pickSendable(rawHeaders);
  const picked = pickReplyHeaders(sendable, () => false);
  const retry = sendable.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-should-retry');
  return retry === -1 ? picked : [...picked, ...sendable.slice(retry, retry + 2)];
}

function pickSendable(rawHeaders: readonly string[]): string[] {
  const picked: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      picked.push(name, value);
    } catch {
      // What no head may carry.
    }
  }
  return picked;
}

function isPieces(pieces: unknown, length: number): pieces is PieceTimes {
  if (!Array.isArray(pieces)) return false;
  let sum = 0;
  for (const piece of pieces as readonly unknown[]) {
    if (!Array.isArray(piece) || piece.length !== 2 || !isCount(piece[0]) || !isTime(piece[1])) return false;
    sum += piece[0];
  }
  return sum === length;
}

function isProblem(problem: unknown): problem is RecordedReply['problem'] {
  return problem === null || (isObject(problem) && isText(problem.code) && isText(problem.message));
}

function isPairs(value: unknown): boolean {
  return Array.isArray(value) && value.every((pair) => isTexts(pair) && pair.length === 2);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

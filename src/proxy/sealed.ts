import type { Origin } from '../core/wire.js';
import { formatAuthority } from './authority-form.js';
import type { ClientSide } from './client-side.js';
import type { Door } from './door.js';

/** No SDK asks again after it. */
const status = 412;
const statusText = 'Precondition Failed';

function makeBody(origin: Origin): Buffer {
  const where = formatAuthority(origin.host, origin.port);
  return formatError('llmtap_replay', `nothing goes out in a replay, and this request to ${where} is in no recording.`);
}

function formatError(type: string, message: string): Buffer {
  return Buffer.from(`${JSON.stringify({ error: { type, message: `llmtap: ${message}` } })}\n`);
}

/** Answers a request that is no recorded call, in a session from which nothing may go out. */
export function refuseSealed(client: ClientSide, door: Door, origin: Origin): void {
  door.tellSealed(origin);
  const body = makeBody(origin);
  client.upload.resume();
  client.listen({ onClosed: () => undefined, onDrain: () => undefined });
  client.writeHead(status, statusText, [
    ...['content-type', 'application/json', 'content-length', String(body.length), 'x-should-retry', 'false'],
  ]);
  client.end(body, []);
}

/** As `refuseSealed`, for a connection that asks for a tunnel or an upgrade. `door` is `null` where it was told already. */
export function formatSealed(door: Door | null, origin: Origin): string {
  door?.tellSealed(origin);
  return formatRefusal(makeBody(origin));
}

/** A WebSocket's refusal in a session whose calls the cache alone may answer. */
export function formatUnanswered(origin: Origin): string {
  const where = formatAuthority(origin.host, origin.port);
  const message = `the cache alone was to be asked (cache mode "only"), and keeps no WebSocket of ${where}.`;
  return formatRefusal(formatError('llmtap_cache', message));
}

function formatRefusal(body: Buffer): string {
  const head = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close'];
  return `HTTP/1.1 ${status} ${statusText}\r\n${head.join('\r\n')}\r\n\r\n${body.toString()}`;
}

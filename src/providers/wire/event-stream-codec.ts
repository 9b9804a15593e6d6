import { createRequire } from 'node:module';
import type { EventStreamCodec, Message } from '@smithy/core/event-streams';

/** One message of an AWS event stream. */
export interface EventStreamMessage {
  /** Headers whose value is a text; all that have a meaning are. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
}

const requireModule = createRequire(import.meta.url);
let codec: EventStreamCodec | null = null;

/**
 * Decodes one whole message: checks both of its checksums and reads its headers. Throws an `Error` on anything else.
 *
 * The codec is AWS's own (`@smithy/core` 3.41). It takes some 20 ms of modules (measured), so that it is loaded by the
 * first message there is, not with the tap.
 *
 * NOTE: it trusts the lengths of headers and reads on in the memory the message lies in, hence the copy.
 */
export function decodeEventStreamMessage(bytes: Uint8Array): EventStreamMessage {
  const { headers, body } = openCodec().decode(new Uint8Array(bytes));
  return { headers: readTexts(headers), payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
}

function openCodec(): EventStreamCodec {
  if (codec !== null) return codec;
  const { EventStreamCodec: Codec } = requireModule(
    '@smithy/core/event-streams',
  ) as typeof import('@smithy/core/event-streams');
  codec = new Codec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
    (text) => Buffer.from(text, 'utf8'),
  );
  return codec;
}

function readTexts(headers: Message['headers']): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, header] of Object.entries(headers)) if (header.type === 'string') texts.set(name, header.value);
  return texts;
}

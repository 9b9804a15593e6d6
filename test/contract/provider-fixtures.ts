import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '../../src/core/call-record.js';
import type { Dialect, ReplyFacts } from '../../src/core/wire.js';
import { encodeChunk, encodeEvent, encodeException } from '../fixtures/event-stream.js';

const root = fileURLToPath(new URL('../fixtures/wire/', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  sse: 'text/event-stream',
  json: 'application/json',
  events: 'application/vnd.amazon.eventstream',
  ndjson: 'application/x-ndjson',
};

export function readFixture(file: string): Buffer {
  const bytes = readFileSync(`${root}${file}`);
  return file.endsWith('.events') ? encodeEvents(bytes.toString('utf8')) : bytes;
}

/**
 * An AWS event stream of its written form, a message a line: `{ event, payload }`, `{ chunk }` for a document that
 * InvokeModelWithResponseStream wraps, `{ exception, message }`.
 */
function encodeEvents(text: string): Buffer {
  const lines = text.trim().split('\n');
  return Buffer.concat(
    lines.map((line) => {
      const { event, payload, chunk, exception, message } = JSON.parse(line) as {
        readonly event?: string;
        readonly payload?: JsonValue;
        readonly chunk?: JsonValue;
        readonly exception?: string;
        readonly message?: string;
      };
      if (exception !== undefined) return encodeException(exception, message ?? '');
      return event === undefined ? encodeChunk(chunk ?? null) : encodeEvent(event, payload ?? null);
    }),
  );
}

/** Every fixture as `folder/name.form`. */
export function listFixtures(): readonly string[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .flatMap((folder) => readdirSync(`${root}${folder.name}`).map((name) => `${folder.name}/${name}`))
    .sort();
}

/** The content type a provider gives a fixture's form. */
export function readContentType(file: string): string {
  const type = contentTypes[file.split('.').pop() ?? ''] ?? 'text/plain';
  return file.endsWith('.events') ? type : `${type}; charset=utf-8`;
}

export interface ReadOptions {
  readonly status?: number;
  readonly contentType?: string | null;
  /** Further headers, by names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of a piece; the whole at once when absent. */
  readonly pieceBytes?: number;
  /** Where to cut in two. */
  readonly cutAt?: number;
}

/** Reads a reply with a dialect as the tap does; the n-th piece arrives at n milliseconds. */
export function readReply(dialect: Dialect, bytes: Buffer, options: ReadOptions = {}): ReplyFacts {
  const { status = 200, contentType = 'application/json', headers = {}, pieceBytes = bytes.length, cutAt } = options;
  const request = { model: null, stream: true, wireSession: null };
  const reader = dialect.openReply({ status, contentType, findHeader: (name) => headers[name] ?? null }, request);
  let atMs = 0;
  for (const piece of cutAt === undefined
    ? cutEvery(bytes, pieceBytes)
    : [bytes.subarray(0, cutAt), bytes.subarray(cutAt)])
    reader.write(piece, ++atMs);
  return reader.end();
}

function* cutEvery(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += Math.max(1, pieceBytes))
    yield bytes.subarray(at, at + Math.max(1, pieceBytes));
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Dialect, ReplyFacts } from '../../src/core/wire.js';

const root = fileURLToPath(new URL('../fixtures/wire/', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  sse: 'text/event-stream',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
};

export function readFixture(file: string): Buffer {
  return readFileSync(`${root}${file}`);
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
  return `${contentTypes[file.split('.').pop() ?? ''] ?? 'text/plain'}; charset=utf-8`;
}

export interface ReadOptions {
  readonly status?: number;
  readonly contentType?: string | null;
  /** Bytes of a piece; the whole at once when absent. */
  readonly pieceBytes?: number;
  /** Where to cut in two. */
  readonly cutAt?: number;
}

/** Reads a reply with a dialect as the tap does; the n-th piece arrives at n milliseconds. */
export function readReply(dialect: Dialect, bytes: Buffer, options: ReadOptions = {}): ReplyFacts {
  const { status = 200, contentType = 'application/json', pieceBytes = bytes.length, cutAt } = options;
  const request = { model: null, stream: true, wireSession: null };
  const reader = dialect.openReply({ status, contentType }, request);
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

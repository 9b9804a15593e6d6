import { createReadStream } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type NormaliseRules, requireNormaliseRules } from '../core/cassette.js';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { Interaction, SocketInteraction } from './interaction.js';
import { makePartPath, type RecordingOwner } from './parts.js';
import { formatInteraction, readInteraction } from './saved-interaction.js';

/** What a cassette says of itself, in its first line. */
export interface CassetteHead {
  readonly llmtap: 'cassette';
  readonly version: 1;
  readonly recordedAt: string;
  readonly normalise: NormaliseRules;
}

export interface Cassette {
  readonly head: CassetteHead;
  /** In the order they were asked. */
  readonly interactions: readonly Interaction[];
  readonly sockets: readonly SocketInteraction[];
}

/** Files larger than this are no cassette. */
const maxFileBytes = 1024 * 1024 * 1024;
/** As is a file with a longer line: no reply that is recorded makes one. */
const maxLineChars = 256 * 1024 * 1024;

/** Reads a cassette. Rejects with `CASSETTE_NOT_FOUND` or `CASSETTE_INVALID`, whatever the file holds. */
export async function readCassette(path: string): Promise<Cassette> {
  try {
    return await readLinesOf(path);
  } catch (cause) {
    if (cause instanceof TrackerError) throw cause;
    if (findSystemCode(cause) === 'ENOENT') {
      throw new TrackerError('CASSETTE_NOT_FOUND', `Could not replay ${path}: there is no such recording.`, {
        cause,
        hint: 'Record it first: llmtap run --record NAME -- PROGRAM; a test with LLMTAP_CASSETTE=record.',
      });
    }
    throw makeInvalidCassette(path, readErrorMessage(cause), cause);
  }
}

export function makeInvalidCassette(path: string, why: string, cause?: unknown): TrackerError {
  return new TrackerError('CASSETTE_INVALID', `Could not read the recording ${path}: ${why}.`, {
    cause,
    hint: 'Record it again.',
  });
}

async function readLinesOf(path: string): Promise<Cassette> {
  const found = await stat(path);
  // Reading a pipe or a device would never end.
  if (!found.isFile()) throw makeInvalidCassette(path, 'it is no file');
  if (found.size > maxFileBytes) throw makeInvalidCassette(path, 'it is larger than 1 GiB');
  let head: CassetteHead | null = null;
  const read: (Interaction | SocketInteraction)[] = [];
  let number = 0;
  for await (const line of splitLines(createReadStream(path, { encoding: 'utf8' }), path)) {
    number += 1;
    if (line.trim() === '') continue;
    if (head === null) head = readHead(path, readLine(path, number, line));
    else read.push(requireInteraction(path, number, line));
  }
  if (head === null) throw makeInvalidCassette(path, 'it is empty');
  const all = read.sort((a, b) => a.seq - b.seq);
  return {
    head,
    interactions: all.filter((one): one is Interaction => 'reply' in one),
    sockets: all.filter((one): one is SocketInteraction => 'socket' in one),
  };
}

/** At line feeds alone: JSON may hold U+2028, at which `readline` would split as well. */
async function* splitLines(chunks: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let begun: string[] = [];
  let chars = 0;
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    for (const [i, part] of lines.entries()) {
      begun.push(part);
      chars += part.length;
      if (chars > maxLineChars) throw makeInvalidCassette(path, 'a line of it is longer than any that is recorded');
      if (i === lines.length - 1) break;
      yield begun.join('');
      [begun, chars] = [[], 0];
    }
  }
  yield begun.join('');
}

function readHead(path: string, said: Readonly<Record<string, unknown>>): CassetteHead {
  if (said.llmtap !== 'cassette') throw makeInvalidCassette(path, 'its first line does not say that it is one');
  if (said.version !== 1) {
    throw makeInvalidCassette(
      path,
      `it is of version ${JSON.stringify(said.version)?.slice(0, 40)}, and this reads version 1`,
    );
  }
  try {
    return { ...(said as unknown as CassetteHead), normalise: requireNormaliseRules(said.normalise ?? {}) };
  } catch (cause) {
    throw makeInvalidCassette(
      path,
      `what it sets aside cannot be read: ${readErrorMessage(cause).replace(/\.$/, '')}`,
      cause,
    );
  }
}

function readLine(path: string, number: number, line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw makeInvalidCassette(path, `line ${number} is no JSON object`);
}

function requireInteraction(path: string, number: number, line: string): Interaction | SocketInteraction {
  const interaction = readInteraction(readLine(path, number, line));
  if (interaction === null) throw makeInvalidCassette(path, `line ${number} is no call and its reply`);
  return interaction;
}

export interface WriterOptions {
  readonly recordedAt: string;
  readonly owner: RecordingOwner;
  readonly onFailure: (error: unknown) => void;
}

/**
 * A cassette being recorded: a file beside its place, which takes its place when it is closed, so that a run that is killed
 * leaves the recording of before as it was; so does one without a call. Nothing throws once it is open; the first failure is
 * told, and nothing more is written.
 */
export class CassetteWriter {
  readonly #path: string;
  readonly #beside: string;
  readonly #file: FileHandle;
  readonly #onFailure: (error: unknown) => void;
  #isEmpty = true;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  private constructor(parts: { path: string; beside: string; file: FileHandle; onFailure: (error: unknown) => void }) {
    this.#path = parts.path;
    this.#beside = parts.beside;
    this.#file = parts.file;
    this.#onFailure = parts.onFailure;
  }

  /** Rejects with `CASSETTE_UNWRITABLE`. */
  static async open(
    path: string,
    normalise: NormaliseRules,
    { recordedAt, owner, onFailure }: WriterOptions,
  ): Promise<CassetteWriter> {
    const beside = makePartPath(path, owner);
    const head: CassetteHead = { llmtap: 'cassette', version: 1, recordedAt, normalise };
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(beside, 'wx', 0o600);
      await file.write(`${JSON.stringify(head)}\n`);
      return new CassetteWriter({ path, beside, file, onFailure });
    } catch (cause) {
      throw new TrackerError('CASSETTE_UNWRITABLE', `Could not record to ${path}: ${readErrorMessage(cause)}.`, {
        cause,
        hint: 'Give a place that can be written to.',
      });
    }
  }

  add(interaction: Interaction | SocketInteraction): void {
    const line = formatInteraction(interaction);
    this.#isEmpty = false;
    this.#writing = this.#writing.then(async () => {
      if (!this.#hasFailed) await this.#file.appendFile(line).catch((error: unknown) => this.#fail(error));
    });
  }

  /** Gives whether it took its place; where it did not, an earlier recording stands there, or the failure was told. */
  async close(): Promise<boolean> {
    await this.#writing;
    try {
      await this.#file.close();
      const isKept = !this.#hasFailed && !(this.#isEmpty && (await isThere(this.#path)));
      if (isKept) await rename(this.#beside, this.#path);
      else await rm(this.#beside, { force: true });
      return isKept;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onFailure(error);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

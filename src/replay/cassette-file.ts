import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { access, type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NormaliseRules } from '../core/cassette.js';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { Interaction, RecordedReply, SocketInteraction } from './interaction.js';

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

/** Reads a cassette. Rejects with `CASSETTE_NOT_FOUND` or `CASSETTE_INVALID`. */
export async function readCassette(path: string): Promise<Cassette> {
  const text = await readText(path);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const head = readLine<CassetteHead>(path, 1, lines[0] ?? '');
  if (head.llmtap !== 'cassette') throw makeInvalid(path, 'its first line does not say that it is one');
  if (head.version !== 1) throw makeInvalid(path, `it is of version ${String(head.version)}, and this reads version 1`);
  const read = lines.slice(1).map((line, i) => readInteraction(path, i + 2, line));
  const all = read.sort((a, b) => a.seq - b.seq);
  return {
    head,
    interactions: all.filter((one): one is Interaction => 'reply' in one),
    sockets: all.filter((one): one is SocketInteraction => 'socket' in one),
  };
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxFileBytes) throw makeInvalid(path, 'it is larger than 1 GiB');
    return bytes.toString('utf8');
  } catch (cause) {
    if (cause instanceof TrackerError) throw cause;
    if (findSystemCode(cause) === 'ENOENT') {
      throw new TrackerError('CASSETTE_NOT_FOUND', `Could not replay ${path}: there is no such recording.`, {
        cause,
        hint: 'Record it first: llmtap run --record NAME -- PROGRAM.',
      });
    }
    throw makeInvalid(path, readErrorMessage(cause), cause);
  }
}

function makeInvalid(path: string, why: string, cause?: unknown): TrackerError {
  return new TrackerError('CASSETTE_INVALID', `Could not read the recording ${path}: ${why}.`, {
    cause,
    hint: 'Record it again.',
  });
}

function readLine<T>(path: string, number: number, line: string): T {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw makeInvalid(path, `line ${number} is no JSON object`);
}

type SavedReply = Omit<RecordedReply, 'body'> & { readonly text?: string; readonly base64?: string };

type SavedLine = Omit<Interaction, 'reply'> & {
  readonly reply?: SavedReply;
  readonly socket?: SocketInteraction['socket'];
};

function readInteraction(path: string, number: number, line: string): Interaction | SocketInteraction {
  const { reply, socket, ...saved } = readLine<SavedLine>(path, number, line);
  const { seq, request } = saved;
  const isAsked =
    Number.isSafeInteger(seq) &&
    typeof request === 'object' &&
    typeof request?.body === 'object' &&
    Array.isArray(request.query) &&
    Array.isArray(request.headers);
  if (isAsked && Array.isArray(socket?.messages)) return { ...saved, socket };
  const isAnswered =
    typeof reply === 'object' &&
    Number.isSafeInteger(reply.status) &&
    Array.isArray(reply.rawHeaders) &&
    Array.isArray(reply.pieces);
  if (!isAsked || !isAnswered) throw makeInvalid(path, `line ${number} is no call and its reply`);
  const { text, base64, ...rest } = reply;
  const body = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8');
  return { ...saved, reply: { ...rest, body } };
}

function formatInteraction(interaction: Interaction | SocketInteraction): string {
  if ('socket' in interaction) return `${JSON.stringify(interaction)}\n`;
  const { body, ...rest } = interaction.reply;
  const said = isUtf8(body) ? { text: body.toString('utf8') } : { base64: body.toString('base64') };
  return `${JSON.stringify({ ...interaction, reply: { ...rest, ...said } })}\n`;
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
    { recordedAt, onFailure }: { readonly recordedAt: string; readonly onFailure: (error: unknown) => void },
  ): Promise<CassetteWriter> {
    const beside = `${path}.${randomUUID()}.part`;
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

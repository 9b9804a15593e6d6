import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { TrackerEvent } from '../core/events.js';
import type { Exporter, JsonlPlan, Prepared } from '../core/exporting.js';
import { withoutContent } from './without-content.js';

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;

/**
 * Appends one line of JSON an event. Several programs may write to one file: a batch of lines goes there in one piece.
 *
 * Throws `EXPORTER_INVALID` when the file cannot be written.
 */
export async function openJsonl(plan: JsonlPlan): Promise<Exporter<string>> {
  const file = await openForAppending(plan.path);
  return new JsonlExporter(plan, file);
}

class JsonlExporter implements Exporter<string> {
  readonly name: string;
  readonly #plan: JsonlPlan;
  readonly #file: FileHandle;
  /** What was being written may have left part of a line. */
  #isTorn = false;

  constructor(plan: JsonlPlan, file: FileHandle) {
    this.name = `the file ${plan.path}`;
    this.#plan = plan;
    this.#file = file;
  }

  prepare(event: TrackerEvent): Prepared<string> {
    const item = `${JSON.stringify(this.#plan.content === true ? event : withoutContent(event))}\n`;
    return { item, bytes: item.length };
  }

  async send(items: readonly string[]): Promise<void> {
    const lines = Buffer.from(`${this.#isTorn ? '\n' : ''}${items.join('')}`);
    this.#isTorn = true;
    // A file system that is nearly full takes less than it is given.
    for (let left = lines; left.length > 0; ) left = left.subarray((await this.#file.write(left)).bytesWritten);
    this.#isTorn = false;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function openForAppending(path: string): Promise<FileHandle> {
  try {
    // NOTE: a pipe that nobody reads would hold the opening up for ever; so opened it is refused at once.
    return await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  } catch (error) {
    const what = await stat(path).then(
      (found) => (found.isDirectory() ? 'it is a folder' : readErrorMessage(error)),
      () => readErrorMessage(error),
    );
    throw new TrackerError('EXPORTER_INVALID', `Could not write events to ${path}: ${what}.`, {
      cause: error,
      hint: 'Name a file in a folder that exists and that you may write to.',
    });
  }
}

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import { type ExportCounts, exportCache } from '../../host/cache-transfer.js';
import type { CliIo } from '../io.js';

/** Writes an export: a file whole or not at all, readable by its owner alone; `-` is stdout. Throws `OPTION_INVALID`. */
export async function exportToFile(cachePath: string, file: string, io: CliIo): Promise<ExportCounts> {
  const counts: ExportCounts = { entries: 0, bound: 0, secret: 0 };
  const lines = exportCache(cachePath, io.env, counts);
  if (file === '-') {
    for (const line of lines) io.stdout.write(`${line}\n`);
    return counts;
  }
  const part = `${resolve(file)}.${randomUUID().slice(0, 8)}.part`;
  const fd = attempt(file, () => openSync(part, 'wx', 0o600));
  try {
    for (const line of lines) attempt(file, () => writeSync(fd, `${line}\n`));
    closeSync(fd);
    attempt(file, () => renameSync(part, file));
    return counts;
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new TrackerError('OPTION_INVALID', `Could not write the export to "${file}": ${readErrorMessage(error)}.`, {
      cause: error,
      hint: 'Give a file in a folder that may be written, or - for stdout.',
    });
  }
}

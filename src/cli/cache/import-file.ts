import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import { type ImportCounts, importCache } from '../../host/cache-transfer.js';

/** An entry is at most 4 MiB, which may be three times as much as JSON. */
const longestLine = 32 * 1024 * 1024;

/** Reads an export; `-` is stdin. Throws `OPTION_INVALID` for a file that cannot be read, else as `importCache` does. */
export async function importFromFile(cachePath: string, file: string): Promise<ImportCounts> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  return await importCache(cachePath, readLines(input, file), file === '-' ? 'stdin' : file);
}

async function* readLines(input: Readable, file: string): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of readChunks(input, file)) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, begin)) {
      yield Buffer.concat([...pieces, chunk.subarray(begin, end)]).toString('utf8');
      [pieces, length, begin] = [[], 0, end + 1];
    }
    pieces.push(chunk.subarray(begin));
    length += chunk.length - begin;
    if (length > longestLine) {
      const hint = 'Give a file that `llmtap cache export` has written.';
      throw new TrackerError('CACHE_FILE_INVALID', `Could not import ${file}: a line is too long.`, { hint });
    }
  }
  if (length > 0) yield Buffer.concat(pieces).toString('utf8');
}

async function* readChunks(input: Readable, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of input) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
  } catch (error) {
    throw new TrackerError('OPTION_INVALID', `Could not read the export "${file}": ${readErrorMessage(error)}.`, {
      cause: error,
      hint: 'Give the file that `llmtap cache export` has written, or - for stdin.',
    });
  }
}

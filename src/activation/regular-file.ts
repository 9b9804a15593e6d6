import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/**
 * Reads a file somebody else named, as far as `maxBytes`. `undefined` when there is none to read, when it is larger, or
 * when it is no regular file: a pipe or a device may keep a reader waiting for ever, or lose what it was made for.
 */
export function findFileText(path: string, maxBytes: number): string | undefined {
  try {
    if (!statSync(path).isFile()) return undefined;
    // Without O_NONBLOCK a pipe put there since would hold the opening up. Windows has none and knows no such pipe.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      return fstatSync(file).isFile() ? readText(file, maxBytes) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    // Absent and out of reach are one to whoever wants to read it.
    return undefined;
  }
}

/** Not by the size it states: files of /proc state none. */
function readText(file: number, maxBytes: number): string | undefined {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < buffer.length; length += read) {
    read = readSync(file, buffer, length, buffer.length - length, null);
  }
  return length > maxBytes ? undefined : buffer.toString('utf8', 0, length);
}

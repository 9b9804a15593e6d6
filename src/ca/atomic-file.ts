import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Matches the names `makeTemporaryPath` makes: a killed process may leave such a file behind. */
export const temporaryPattern = /\.\d+-[0-9a-f]{12}\.tmp$/;

/** A path beside `path` that no other process uses. */
export function makeTemporaryPath(path: string): string {
  return `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

/**
 * Replaces a file at once: a reader finds the old content or the new, never a part. Returns the new file's identity as
 * `findIdentity` reads it. Throws what the system throws.
 */
export function writeFileAtomically(path: string, content: string, mode: number): string {
  const temporary = makeTemporaryPath(path);
  try {
    writeFileSync(temporary, content, { mode, flag: 'wx' });
    const identity = findIdentity(temporary) ?? '';
    renameSync(temporary, path);
    return identity;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Size and inode of a file, which survive a rename and a touch; `undefined` when there is none. */
export function findIdentity(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.size}:${found.ino}`;
}

import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Who records, so that others can tell what a killed one left behind. */
export interface RecordingOwner {
  /** Of letters, digits and `-`: this process, on this machine. */
  readonly mark: string;
  /** Whether the owner of a mark is known to run no longer; `false` of whom nothing can be known. */
  readonly isGone: (mark: string) => boolean;
}

/** Where a recording is written until it takes its place. */
export function makePartPath(path: string, { mark }: RecordingOwner): string {
  return `${path}.${mark}.${randomBytes(4).toString('hex')}.part`;
}

/** Removes what recordings of this name left whose programs were killed; gives how many. Never rejects. */
export async function removeLeftParts(path: string, { isGone }: RecordingOwner): Promise<number> {
  const [folder, name] = [dirname(path), `${basename(path)}.`];
  const found = await readdir(folder).catch((): string[] => []);
  let removed = 0;
  for (const file of found) {
    if (!file.startsWith(name)) continue;
    const mark = /^([\w-]+)\.[0-9a-f]{8}\.part$/.exec(file.slice(name.length))?.[1];
    if (mark === undefined || !isGone(mark)) continue;
    const isRemoved = await rm(join(folder, file)).then(
      () => true,
      // Another one was faster, or it may not be removed.
      () => false,
    );
    if (isRemoved) removed += 1;
  }
  return removed;
}

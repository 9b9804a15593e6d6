import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

const form = /\d+(?:\.\d+)+(?:[-+][0-9A-Za-z.+-]{1,30})?|\d+(?=\s|$)/;
const mostManifestBytes = 64 * 1024;
const mostFoldersUp = 6;

/** The line a canary prints, `version 3.11.7`; `null` when there is none, or it holds no version. */
export function findCanaryVersion(output: string): string | null {
  const line = /^version (.{1,60})$/m.exec(output)?.[1];
  return line === undefined ? null : findVersionText(line);
}

/** The first version in a line such as `curl 7.88.1 (x86_64-pc-linux-gnu) …`. Nothing else of the text is given back. */
export function findVersionText(text: string): string | null {
  return form.exec(text.slice(0, 400))?.[0].slice(0, 40) ?? null;
}

/** The version of the npm package a command belongs to, without starting it; `null` when it belongs to none. */
export function findPackageVersion(path: string): string | null {
  try {
    let folder = dirname(realpathSync(path));
    for (let up = 0; up < mostFoldersUp && folder !== dirname(folder); up++, folder = dirname(folder)) {
      const version = findManifestVersion(join(folder, 'package.json'));
      if (version !== null) return version;
    }
  } catch {
    // A link that leads nowhere.
  }
  return null;
}

function findManifestVersion(path: string): string | null {
  try {
    const manifest: unknown = JSON.parse(readBounded(path));
    if (typeof manifest !== 'object' || manifest === null) return null;
    return 'version' in manifest && typeof manifest.version === 'string' ? findVersionText(manifest.version) : null;
  } catch {
    // None there, or none of npm's.
    return null;
  }
}

function readBounded(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(mostManifestBytes);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}

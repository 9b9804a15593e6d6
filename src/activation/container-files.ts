import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import { containerFiles, findNamedFiles, mountPoint } from './container-env.js';

export interface ContainerFilesOptions {
  /** Of a child on this machine: they name the files to copy. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the container is to have. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ContainerFiles {
  /** Absolute; to be mounted. */
  readonly folder: string;
  /** Absolute; `NAME=VALUE` lines with the session's credentials, mode 0600, outside `folder`. */
  readonly envFile: string;
}

/**
 * Copies what a container needs into a folder of its own below the session's: the home's files are for their owner
 * alone, and a container often runs as another user. The folder above keeps everybody else out. Goes with the session's
 * files. Throws `HOME_UNUSABLE`, and `OPTION_INVALID` for a value no such file can hold.
 */
export function openContainerFiles(sessionFolder: string, options: ContainerFilesOptions): ContainerFiles {
  const folder = join(sessionFolder, 'container');
  const lines = formatEnvFile(options.env);
  const digest = createHash('sha256').update(lines).digest('hex').slice(0, 12);
  const envFile = join(sessionFolder, `container-${digest}.env`);
  try {
    for (const [name, bytes] of Object.entries(readContents(options.variables))) {
      keepFile(join(folder, name), bytes, { fileMode: 0o644, folderMode: 0o755 });
    }
    keepFile(envFile, Buffer.from(lines), { fileMode: 0o600, folderMode: 0o700 });
    return { folder, envFile };
  } catch (error) {
    throw new TrackerError(
      'HOME_UNUSABLE',
      `Could not make files for a container in ${sessionFolder}: ${readErrorMessage(error)}`,
      {
        cause: error,
        hint: 'Check the rights of that folder, or set LLMTAP_HOME (in code: `home`) to one that can be written.',
      },
    );
  }
}

function readContents(variables: Readonly<Record<string, string>>): Record<string, Buffer> {
  const named = findNamedFiles(variables);
  const bundle = `${mountPoint}/${containerFiles.bundle}`;
  return {
    [containerFiles.ca]: readFileSync(named.ca),
    [containerFiles.bundle]: readFileSync(named.bundle),
    [containerFiles.extraCa]: readFileSync(named.extraCa),
    [containerFiles.hook]: readFileSync(named.hook),
    [containerFiles.wgetrc]: Buffer.from(`ca_certificate = ${bundle}\n`),
    [containerFiles.phpIni]: Buffer.from(`curl.cainfo='${bundle}'\nopenssl.cafile='${bundle}'\n`),
  };
}

interface Modes {
  readonly fileMode: number;
  readonly folderMode: number;
}

/** A file that is right already is left alone: a running container may be reading it. The umask has no say. */
function keepFile(path: string, bytes: Buffer, { fileMode, folderMode }: Modes): void {
  if (findBytes(path)?.equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true, mode: folderMode });
  chmodSync(dirname(path), folderMode);
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, bytes, { mode: fileMode });
  chmodSync(fresh, fileMode);
  renameSync(fresh, path);
}

function findBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    // Not there yet, or not readable, which writing it tells.
    return undefined;
  }
}

/**
 * One variable a line; docker takes everything behind `=` as it stands, podman reads quotes at its beginning.
 * Source: https://github.com/docker/cli/issues/4665 and
 * https://github.com/containers/podman/blob/main/docs/source/markdown/options/env-file.md (read 2026-11-26).
 */
function formatEnvFile(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => {
    if (/[\r\n\0]/.test(value) || /^["'`]/.test(value)) {
      throw new TrackerError(
        'OPTION_INVALID',
        `Could not write ${name} for a container: its value has a line break or begins with a quote.`,
        {
          hint: `Pass env with another ${name}.`,
        },
      );
    }
    return `${name}=${value}\n`;
  });
  return lines.join('');
}

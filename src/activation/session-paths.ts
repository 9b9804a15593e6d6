import { delimiter, join } from 'node:path';

/** Where the files of one session stand: written by `openSessionFiles`, named to children by `makeChildEnv`. */
export interface SessionPaths {
  readonly wgetrc: string;
  /** A folder PHP scans for further settings. */
  readonly phpFolder: string;
  readonly phpIni: string;
  /** Where Cline's hub daemon writes how to reach it; the file is Cline's to make. */
  readonly clineDiscovery: string;
  /** Tells the tap the folder belongs to, as `formatOwner` writes it. */
  readonly owner: string;
  readonly javaTrustStore: string;
}

/** @param folder the session's own, absolute */
export function makeSessionPaths(folder: string): SessionPaths {
  const phpFolder = join(folder, 'php');
  return Object.freeze({
    wgetrc: join(folder, 'wgetrc'),
    phpFolder,
    phpIni: join(phpFolder, 'llmtap.ini'),
    clineDiscovery: join(folder, 'cline-hub.json'),
    owner: join(folder, 'pid'),
    javaTrustStore: join(folder, 'java-trust-store'),
  });
}

/**
 * `PHP_INI_SCAN_DIR` with a folder added at the end, where later settings win. An empty element stands for the folder
 * PHP was built with, so an absent variable keeps it.
 * Source: https://www.php.net/manual/en/configuration.file.php (read 2026-11-21).
 */
export function addPhpScanFolder(previous: string | undefined, folder: string): string {
  if (previous === '') return folder;
  return `${previous ?? ''}${delimiter}${folder}`;
}

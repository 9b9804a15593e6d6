import { readFileSync, statSync } from 'node:fs';
import { requireMatchingPair } from './authority.js';
import { makeGenerationPaths, makeReadError, readNewestGeneration } from './authority-folder.js';
import { makeCaPaths } from './paths.js';

/** What an authority on disk is found to be. */
export interface AuthorityState {
  readonly certPath: string;
  readonly keyPath: string;
  /** Permission bits of the key file, such as `0o600`. */
  readonly keyMode: number;
  /** UTC, ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Looks at the authority of a home and leaves it as it is: nothing is made, renewed or repaired. `undefined` when there
 * is none yet. Throws `CA_UNREADABLE`, or `CA_INVALID` when what is there is no authority.
 */
export function inspectAuthority(home: string): AuthorityState | undefined {
  const { folder } = makeCaPaths(home);
  const generation = readNewestGeneration(folder);
  if (generation === 0) return undefined;
  const paths = makeGenerationPaths(folder, generation);
  const pair = { keyPem: readText('key', paths.key), certPem: readText('certificate', paths.cert) };
  const cert = requireMatchingPair(pair, paths.folder);
  return {
    certPath: paths.cert,
    keyPath: paths.key,
    keyMode: statSync(paths.key).mode & 0o777,
    notBefore: new Date(cert.validFrom).toISOString(),
    notAfter: new Date(cert.validTo).toISOString(),
  };
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw makeReadError(what, path, error);
  }
}

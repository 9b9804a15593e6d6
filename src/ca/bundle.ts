import { resolve } from 'node:path';
import { caFileVariables } from '../core/ca-variables.js';
import type { Authority } from './authority.js';
import { makeBundleFile } from './bundle-file.js';
import { makeCaPaths } from './paths.js';
import { findSystemSource, listSources, type TrustSource } from './trust-sources.js';

/** Files to point programs at. Absolute; they stay as they are, or grow current, as long as anything uses them. */
export interface Bundle {
  /** Our root alone. */
  readonly caPath: string;
  /** System roots, Node's roots, the user's own and ours: for variables that replace a program's roots. */
  readonly bundlePath: string;
  /** What the user's `NODE_EXTRA_CA_CERTS` names, and ours: for variables that add to a program's roots. */
  readonly extraPath: string;
}

type Environment = Readonly<Record<string, string | undefined>>;
type RootOnly = Pick<Authority, 'certPem' | 'certPath'>;

/**
 * Opens the merged bundle for an environment. Rewritten when any file it was made from has changed; when none has,
 * nothing but their times is read. Files that are missing, unreadable or no certificates are passed over; every
 * certificate stands in it once. Private keys a file may hold beside its certificates are never copied.
 *
 * Throws `CA_UNWRITABLE`.
 */
export function openBundle(home: string, authority: RootOnly, env: Environment): Bundle {
  const nowMs = Date.now();
  const { folder } = makeCaPaths(home);
  const common = { folder, certPem: authority.certPem, nowMs };
  const bundlePath = makeBundleFile({
    ...common,
    kind: 'bundle',
    withNodeRoots: true,
    sources: [findSystemSource(nowMs), ...listUserSources(env)],
  });
  const extra = env.NODE_EXTRA_CA_CERTS;
  if (extra === undefined || extra === '')
    return { caPath: authority.certPath, bundlePath, extraPath: authority.certPath };
  const sources = listSources(resolve(extra));
  const extraPath = makeBundleFile({ ...common, kind: 'extra', withNodeRoots: false, sources });
  return { caPath: authority.certPath, bundlePath, extraPath };
}

/**
 * A bundle for one variable: the certificates of `baseFile` (a file, or a folder of them) and ours. Without
 * `baseFile`, or when there is nothing to be read, the system's roots, Node's and ours. Returns its absolute path.
 * Throws `CA_UNWRITABLE`.
 */
export function makeBundle(options: {
  readonly home: string;
  readonly authority: RootOnly;
  readonly baseFile?: string;
}): string {
  const nowMs = Date.now();
  const base = options.baseFile === undefined ? [] : listSources(resolve(options.baseFile));
  const hasBase = base.some((source) => source.facts !== 'absent');
  return makeBundleFile({
    folder: makeCaPaths(options.home).folder,
    kind: 'bundle',
    certPem: options.authority.certPem,
    withNodeRoots: !hasBase,
    sources: hasBase ? base : [findSystemSource(nowMs)],
    nowMs,
  });
}

function listUserSources(env: Environment): readonly TrustSource[] {
  const absolute = new Set<string>();
  for (const name of caFileVariables) {
    const path = env[name];
    if (path !== undefined && path !== '') absolute.add(resolve(path));
  }
  return [...absolute].flatMap(listSources);
}

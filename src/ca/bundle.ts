import { resolve } from 'node:path';
import type { Authority } from './authority.js';
import { makeBundleFile } from './bundle-file.js';
import { makeCaPaths } from './paths.js';
import { findSystemSource, listSources, type TrustSource } from './trust-sources.js';

/**
 * Variables by which programs are told a file of certificates, of all runtimes a session's child may have. Those that
 * replace a program's roots and those that add to them.
 */
export const caFileVariables: readonly string[] = Object.freeze([
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'npm_config_cafile',
  'NPM_CONFIG_CAFILE',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'PERL_LWP_SSL_CA_FILE',
  'HTTPS_CA_FILE',
  'DENO_CERT',
  'HTTPLIB2_CA_CERTS',
  'NIX_SSL_CERT_FILE',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
]);

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

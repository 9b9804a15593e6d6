import { caFileVariables } from '../core/ca-variables.js';
import type { Origin } from '../core/wire.js';
import { type JavaTrust, makeJavaOptions } from './java-options.js';
import { makeNoProxy } from './no-proxy.js';
import { addRequire } from './node-options.js';
import { addPhpScanFolder, makeSessionPaths } from './session-paths.js';

/** An environment, as `process.env` is one. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface ChildEnvOptions {
  /** What the child would have inherited. */
  readonly parentEnv: Env;
  /** `http://127.0.0.1:PORT`, with credentials when the proxy asks for them. */
  readonly proxyUrl: string;
  /** PEM file of our root alone. */
  readonly caPath: string;
  /** PEM file of the user's `NODE_EXTRA_CA_CERTS` and our root, for variables that add to the roots. */
  readonly extraCaPath: string;
  /**
   * PEM file of the roots in the given file, or of the system's, and ours: for variables that replace the roots. Called
   * once for every such variable.
   */
  readonly bundleFor: (userFile: string | undefined) => string;
  /** Absolute; made by `openSessionFiles`. */
  readonly sessionFolder: string;
  /** Absolute path of node-hook.cjs; a file that is gone stops every Node child from starting. */
  readonly hookPath: string;
  /** Origins of the models the user registered. */
  readonly registered: readonly Origin[];
  /** Given for `--with java`: made by `openJavaTrust`. */
  readonly java?: JavaTrust;
}

/**
 * The variables a child needs for its calls to come through the session and to trust it: those to set alone, over
 * whatever it inherits. Pure.
 *
 * Which variables, and which clients need each: measured with eleven agents, twenty Node libraries and the clients of
 * ten other languages (2026-11-21). `ALL_PROXY` is left as it is: all that read it read `HTTPS_PROXY`, and a SOCKS one
 * of the user's breaks some Python clients whatever we say.
 */
export function makeChildEnv(options: ChildEnvOptions): Record<string, string> {
  const { parentEnv, proxyUrl, sessionFolder } = options;
  const noProxy = makeNoProxy({
    previous: [parentEnv.NO_PROXY, parentEnv.no_proxy],
    registered: options.registered,
  });
  const paths = makeSessionPaths(sessionFolder);
  const java = options.java;
  return {
    ...makeProxyVariables(proxyUrl, noProxy),
    ...makeTrustVariables(options),
    ...makeNodeVariables(options, noProxy),
    CLINE_HUB_DISCOVERY_PATH: paths.clineDiscovery,
    WGETRC: paths.wgetrc,
    PHP_INI_SCAN_DIR: addPhpScanFolder(parentEnv.PHP_INI_SCAN_DIR, paths.phpFolder),
    ...(java && {
      JAVA_TOOL_OPTIONS: makeJavaOptions({ previous: parentEnv.JAVA_TOOL_OPTIONS, proxyUrl, noProxy, trust: java }),
    }),
  };
}

/** Both letter cases: wget reads the lower one alone, and Ruby `http_proxy` even for https. */
function makeProxyVariables(proxyUrl: string, noProxy: string): Record<string, string> {
  return {
    HTTPS_PROXY: proxyUrl,
    https_proxy: proxyUrl,
    HTTP_PROXY: proxyUrl,
    http_proxy: proxyUrl,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}

/** Each variable with those its readers fall back to, so that the file they would have used is the one extended. */
const replacingVariables: Readonly<Record<string, readonly string[]>> = {
  SSL_CERT_FILE: ['SSL_CERT_FILE'],
  CURL_CA_BUNDLE: ['CURL_CA_BUNDLE', 'SSL_CERT_FILE'],
  REQUESTS_CA_BUNDLE: ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  GIT_SSL_CAINFO: ['GIT_SSL_CAINFO'],
  npm_config_cafile: ['npm_config_cafile', 'NPM_CONFIG_CAFILE'],
  PIP_CERT: ['PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  CARGO_HTTP_CAINFO: ['CARGO_HTTP_CAINFO', 'SSL_CERT_FILE'],
  AWS_CA_BUNDLE: ['AWS_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'],
  PERL_LWP_SSL_CA_FILE: ['PERL_LWP_SSL_CA_FILE', 'HTTPS_CA_FILE'],
};

/**
 * The other variables of `caFileVariables` outrank one of the above in the clients that know them: extended where the
 * user set them, never set.
 */
function makeTrustVariables({ parentEnv, bundleFor, caPath, extraCaPath }: ChildEnvOptions): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of caFileVariables) {
    const file = parentEnv[name];
    if (name !== 'NODE_EXTRA_CA_CERTS' && isGiven(file)) variables[name] = bundleFor(file);
  }
  for (const [name, sources] of Object.entries(replacingVariables)) {
    variables[name] ??= bundleFor(sources.map((source) => parentEnv[source]).find(isGiven));
  }
  return { DENO_CERT: caPath, ...variables, NODE_EXTRA_CA_CERTS: extraCaPath };
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

/** `NODE_USE_ENV_PROXY` never goes into `NODE_OPTIONS` as a flag: Node 20 refuses to start on it. */
function makeNodeVariables(options: ChildEnvOptions, noProxy: string): Record<string, string> {
  return {
    NODE_USE_ENV_PROXY: '1',
    NODE_OPTIONS: addRequire(options.parentEnv.NODE_OPTIONS, options.hookPath),
    LLMTAP_HOOK: makeHookSettings({ proxyUrl: options.proxyUrl, noProxy, registered: options.registered }),
  };
}

export interface HookSettings {
  readonly proxyUrl: string;
  readonly noProxy: string;
  readonly registered: readonly Origin[];
}

/**
 * `LLMTAP_HOOK`, what node-hook.cts reads: JSON of `proxy` (URL with credentials), `noProxy` (as `NO_PROXY`) and
 * `registered` (origins). A variable of its own, so that a program that clears `HTTPS_PROXY` for its children is still
 * seen; a session inside a session overrides it, so that one hook fires and reaches the inner proxy.
 */
export function makeHookSettings({ proxyUrl, noProxy, registered }: HookSettings): string {
  const origins = registered.map(({ scheme, host, port }) => {
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  });
  return JSON.stringify({ proxy: proxyUrl, noProxy, registered: origins });
}

/** `LLMTAP_HOOK` for a Worker, which knows no root but those its process was started with: with ours as `workerRoot`. */
export function addWorkerRoot(hookSettings: string, caPem: string): string {
  return JSON.stringify({ ...(JSON.parse(hookSettings) as object), workerRoot: caPem });
}

import { type Env, type HookSettings, makeHookSettings } from './child-env.js';
import { makeNoProxy } from './no-proxy.js';
import { readNodeOptions } from './node-options.js';

/** Where the session's files are in the container. */
export const mountPoint = '/llmtap';

/** Names of the files below the mount point. */
export const containerFiles = {
  ca: 'ca.pem',
  bundle: 'ca-bundle.pem',
  extraCa: 'extra-ca.pem',
  hook: 'node-hook.cjs',
  wgetrc: 'wgetrc',
  phpFolder: 'php',
  phpIni: 'php/llmtap.ini',
} as const;

/** The host's files the variables of a child name. */
export interface NamedFiles {
  readonly ca: string;
  readonly bundle: string;
  readonly extraCa: string;
  readonly hook: string;
}

/** @param variables of a child that names no CA files of its own */
export function findNamedFiles(variables: Readonly<Record<string, string>>): NamedFiles {
  const hook = readNodeOptions(variables.NODE_OPTIONS ?? '').at(-1) ?? '';
  return {
    ca: variables.DENO_CERT ?? '',
    bundle: variables.SSL_CERT_FILE ?? '',
    extraCa: variables.NODE_EXTRA_CA_CERTS ?? '',
    hook: hook.replace(/^--require=/, ''),
  };
}

export interface ContainerPlace {
  /** As the container reaches the door. */
  readonly proxyUrl: string;
  /** What the container has of its own. */
  readonly env: Env;
  readonly network: 'bridge' | 'host';
}

/** The variables of a child on this machine, as a container needs them. Pure. */
export function makeContainerEnv(
  variables: Readonly<Record<string, string>>,
  { proxyUrl, env, network }: ContainerPlace,
): Record<string, string> {
  const files = findNamedFiles(variables);
  const inside = (name: keyof typeof containerFiles) => `${mountPoint}/${containerFiles[name]}`;
  const paths = new Map<string, string>([
    [files.ca, inside('ca')],
    [files.extraCa, inside('extraCa')],
    [files.bundle, inside('bundle')],
  ]);
  const noProxy = network === 'host' ? (variables.NO_PROXY ?? '') : makeOwnNoProxy(env);
  const { CLINE_HUB_DISCOVERY_PATH: _left, ...kept } = variables;
  const proxied = /^https?_proxy$/i;
  return {
    ...Object.fromEntries(
      Object.entries(kept).map(([name, value]) => [name, proxied.test(name) ? proxyUrl : (paths.get(value) ?? value)]),
    ),
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    NODE_OPTIONS: [env.NODE_OPTIONS?.trim() ?? '', `--require=${inside('hook')}`]
      .filter((part) => part !== '')
      .join(' '),
    LLMTAP_HOOK: moveHookSettings(variables.LLMTAP_HOOK, { proxyUrl, noProxy }),
    WGETRC: inside('wgetrc'),
    PHP_INI_SCAN_DIR:
      env.PHP_INI_SCAN_DIR === '' ? inside('phpFolder') : `${env.PHP_INI_SCAN_DIR ?? ''}:${inside('phpFolder')}`,
  };
}

/** Loopback is the container's own there, even where a model is registered on this machine's. */
function makeOwnNoProxy(env: Env): string {
  return makeNoProxy({ previous: [env.NO_PROXY, env.no_proxy], registered: [] });
}

function moveHookSettings(text: string | undefined, { proxyUrl, noProxy }: Omit<HookSettings, 'registered'>): string {
  const { registered = [] } = JSON.parse(text ?? '{}') as { readonly registered?: readonly string[] };
  return JSON.stringify({
    ...(JSON.parse(makeHookSettings({ proxyUrl, noProxy, registered: [] })) as object),
    registered,
  });
}

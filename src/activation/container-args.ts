import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { caFileVariables } from '../core/ca-variables.js';
import { TrackerError } from '../core/errors.js';
import type { ScopedSession } from '../core/scope.js';
import type { Env } from './child-env.js';
import { makeContainerEnv, mountPoint } from './container-env.js';
import { openContainerFiles } from './container-files.js';
import { isWildcard, makeDoorUrl } from './door-url.js';
import { isLoopback } from './no-proxy.js';

export interface ContainerOptions {
  /** `docker` when absent. */
  readonly engine?: 'docker' | 'podman';
  /** `bridge`, a network of the container's own, when absent; `host` shares the machine's. */
  readonly network?: 'bridge' | 'host';
  /**
   * Name or address of this machine as the container knows it. When absent `host.docker.internal`, with podman
   * `host.containers.internal`; on the host's network the door's own address.
   */
  readonly hostName?: string;
  /**
   * What the container would have without us, of its image or of flags of your own: its `NODE_OPTIONS`, `NO_PROXY` and
   * `PHP_INI_SCAN_DIR` are kept and extended. CA files it names are the container's and cannot be read from here; they
   * give way to the session's bundle. Empty when absent.
   */
  readonly env?: Env;
}

/**
 * Flags for `docker run` or `podman run` (and `create`) by which the programs of a container come through the session:
 * one read-only mount at `/llmtap` with our root, the bundles and the Node hook, a file of variables, and how to reach
 * this machine. To be put before the image's name; `-e` flags of your own go before what the file says.
 *
 * A container has no part in this machine's loopback, so a network of its own needs a session that listens elsewhere:
 * `bindAddress`, off by default; whoever reaches that address needs the credentials then. They stand in the file alone
 * (mode 0600), not in the flags, which every user of the machine can read; `docker inspect` shows them, as it does all
 * variables. The files go with the session: start the container inside its scope, and end it there.
 *
 * The engine must run on this machine or, as Docker Desktop's, serve it. Cline's hub is left to the container's own home.
 *
 * Throws `CONTAINER_UNREACHABLE`, `OPTION_INVALID` and `HOME_UNUSABLE`.
 *
 * @param platform that of this machine
 */
export function makeContainerArgs(
  session: ScopedSession,
  options: ContainerOptions = {},
  platform: NodeJS.Platform = process.platform,
): string[] {
  checkOptions(options);
  const { network = 'bridge', env = {} } = options;
  if (network === 'bridge') checkReachable(session, options, platform);
  const hostName = findHostName(options);
  const proxyUrl = makeDoorUrl(session.door, hostName);
  const variables = session.makeChildVariables(withoutFiles(env));
  const files = openContainerFiles(dirname(variables.CLINE_HUB_DISCOVERY_PATH ?? ''), {
    variables,
    env: makeContainerEnv(variables, { proxyUrl, env, network }),
  });
  return [
    ...(network === 'host' ? ['--network=host'] : makeHostEntry(session, options, platform)),
    makeMount(files.folder),
    `--env-file=${files.envFile}`,
  ];
}

/** Paths in it are the container's. */
function withoutFiles(env: Env): Env {
  const named = new Set([...caFileVariables, 'PHP_INI_SCAN_DIR', 'NODE_OPTIONS']);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !named.has(name)));
}

function checkOptions({ engine = 'docker', network = 'bridge', hostName }: ContainerOptions): void {
  const refuse = (name: string, value: string, hint: string): never => {
    throw new TrackerError('OPTION_INVALID', `Could not make container flags with ${name} "${value}".`, { hint });
  };
  if (engine !== 'docker' && engine !== 'podman') refuse('engine', engine, 'Use docker or podman.');
  if (network !== 'bridge' && network !== 'host') refuse('network', network, 'Use bridge or host.');
  if (hostName !== undefined && isIP(hostName) === 0 && !/^[\w.-]+$/.test(hostName)) {
    refuse('hostName', hostName, 'Give a name or an address without port, as in host.docker.internal.');
  }
}

/**
 * Docker Desktop and podman's machine lead the host's name to this machine's loopback; on Linux nothing does.
 * Source: https://github.com/apple/container/issues/346 tells it of Docker on macOS (read 2026-11-26; not measured).
 */
function checkReachable({ door }: ScopedSession, options: ContainerOptions, platform: NodeJS.Platform): void {
  if (platform !== 'linux' || !isLoopback(door.host) || isWildcard(door.host)) return;
  const { engine = 'docker' } = options;
  const address =
    engine === 'docker'
      ? "new LLMTracker({ bindAddress: '172.17.0.1' }), the address of docker0"
      : "new LLMTracker({ bindAddress: '0.0.0.0' }), or the address of podman0 instead";
  throw new TrackerError(
    'CONTAINER_UNREACHABLE',
    `Could not make ${engine} flags: the session listens on ${door.host}, which a container with a network of its own cannot reach.`,
    { hint: `Open the tracker with ${address}; or pass network: 'host', which needs none.` },
  );
}

function findHostName(options: ContainerOptions): string | undefined {
  const { engine = 'docker', network = 'bridge', hostName } = options;
  if (hostName !== undefined) return hostName;
  if (network === 'host') return undefined;
  return engine === 'docker' ? 'host.docker.internal' : 'host.containers.internal';
}

/**
 * Docker on Linux knows no name for the machine unless told: the door's own address, or the bridge's where the door
 * listens everywhere. Docker Desktop and podman write theirs by themselves.
 * Source: https://github.com/docker/docs/pull/23666.diff (`host-gateway`) and
 * https://github.com/containers/podman/blob/v5.4.2/docs/source/markdown/options/add-host.md (read 2026-11-26).
 */
function makeHostEntry({ door }: ScopedSession, options: ContainerOptions, platform: NodeJS.Platform): string[] {
  const { engine = 'docker', hostName } = options;
  if (platform !== 'linux' || (hostName !== undefined && isIP(hostName) !== 0)) return [];
  if (engine === 'podman' && hostName === undefined) return [];
  const name = hostName ?? 'host.docker.internal';
  return [`--add-host=${name}:${isWildcard(door.host) ? 'host-gateway' : door.host}`];
}

/**
 * `-v` can have SELinux let containers read the folder (`z`) and ends a path at a colon; `--mount` ends it at a comma.
 * Source: https://docs.docker.jp/storage/bind-mounts.html and
 * https://github.com/containers/podman/blob/main/troubleshooting.md (read 2026-11-26; no engine was at hand to try it).
 */
function makeMount(folder: string): string {
  const bare = folder.replace(/^[a-z]:(?=[\\/])/i, '');
  if (!bare.includes(':')) return `--volume=${folder}:${mountPoint}:ro,z`;
  if (!/[,"]/.test(folder)) return `--mount=type=bind,src=${folder},dst=${mountPoint},readonly`;
  throw new TrackerError(
    'OPTION_INVALID',
    `Could not make container flags: the path ${folder} has a colon and a comma or quote, and no flag of the engine takes it.`,
    { hint: 'Set LLMTAP_HOME, or home, to a folder without them.' },
  );
}

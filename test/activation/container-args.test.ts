import { readdirSync, readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ContainerOptions, makeContainerArgs } from '../../src/activation/container-args.js';
import type { OpenSession } from '../../src/core/host.js';
import type { DoorAddress } from '../../src/core/scope.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSpawnSession, type SpawnSession, type SpawnSessionOptions } from '../fixtures/spawn-session.js';
import { findAgent } from './spawn/load-agents.js';
import { hasProgram, makeBareEnv, runChild } from './tunnel-lab.js';

let rig: Rig;
let open: OpenSession;
const sessions: SpawnSession[] = [];

beforeAll(async () => {
  rig = await openRig();
  rig.upstream.handler = (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(chatReply));
  };
  open = await rig.openSession({ credentials: true });
});
afterAll(() => rig.close());
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

const authorization = () => `Basic ${Buffer.from(open.credentials ?? '').toString('base64')}`;

function openSession(host: string, more: SpawnSessionOptions = {}): SpawnSession {
  const door: DoorAddress = { host, port: open.port, authorization: authorization() };
  const session = openSpawnSession(rig, { open, door, ...more });
  sessions.push(session);
  return session;
}

interface Flags {
  readonly network: string | undefined;
  readonly addHost: string | undefined;
  /** Host folder mounted at `/llmtap`. */
  readonly folder: string;
  readonly envFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** As the engines read them. */
function readFlags(args: readonly string[]): Flags {
  const flags = new Map(
    args.map((arg) => {
      const [, name = '', value = ''] = /^--([\w-]+)=(.*)$/s.exec(arg) ?? expect.fail(`no flag: ${arg}`);
      return [name, value];
    }),
  );
  expect(flags.size).toBe(args.length);
  const envFile = flags.get('env-file') ?? '';
  const volume = /^(.*):\/llmtap:ro,z$/.exec(flags.get('volume') ?? '')?.[1];
  const mount = /^type=bind,src=([^,]*),dst=\/llmtap,readonly$/.exec(flags.get('mount') ?? '')?.[1];
  const lines = readFileSync(envFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return {
    network: flags.get('network'),
    addHost: flags.get('add-host'),
    folder: volume ?? mount ?? '',
    envFile,
    env: Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
  };
}

/** The environment a process of the container would have, with the mount at the place it has on this machine. */
function makeInnerEnv({ env, folder }: Flags): Record<string, string> {
  const moved = Object.entries(env).map(([name, value]) => [name, value.replaceAll('/llmtap/', `${folder}/`)]);
  return { ...makeBareEnv(), ...(Object.fromEntries(moved) as Record<string, string>) };
}

describe('the flags for a container', () => {
  it('mount one folder any user of the container can read, and only that', () => {
    const { folder } = readFlags(makeContainerArgs(openSession('172.17.0.1')));
    expect(readdirSync(folder).toSorted()).toEqual([
      'ca-bundle.pem',
      'ca.pem',
      'extra-ca.pem',
      'node-hook.cjs',
      'php',
      'wgetrc',
    ]);
    for (const name of ['', 'php']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o755);
    for (const name of ['ca.pem', 'ca-bundle.pem', 'node-hook.cjs', 'php/llmtap.ini']) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o644);
    }
    expect(statSync(join(folder, '..')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, 'ca.pem'), 'utf8')).toBe(rig.ca);
    expect(readFileSync(join(folder, 'ca-bundle.pem'), 'utf8')).toContain(rig.ca.trim());
    expect(readFileSync(join(folder, 'wgetrc'), 'utf8')).toBe('ca_certificate = /llmtap/ca-bundle.pem\n');
    const ini = "curl.cainfo='/llmtap/ca-bundle.pem'\nopenssl.cafile='/llmtap/ca-bundle.pem'\n";
    expect(readFileSync(join(folder, 'php', 'llmtap.ini'), 'utf8')).toBe(ini);
  });

  it('name nothing of this machine’s file system in the container’s variables', () => {
    const { env } = readFlags(makeContainerArgs(openSession('172.17.0.1')));
    for (const [name, value] of Object.entries(env)) expect(value, name).not.toContain(rig.home);
    expect(env).toMatchObject({
      SSL_CERT_FILE: '/llmtap/ca-bundle.pem',
      NODE_EXTRA_CA_CERTS: expect.stringMatching(/^\/llmtap\/(extra-)?ca\.pem$/),
      DENO_CERT: expect.stringMatching(/^\/llmtap\/(extra-)?ca\.pem$/),
      NODE_OPTIONS: '--require=/llmtap/node-hook.cjs',
      WGETRC: '/llmtap/wgetrc',
      PHP_INI_SCAN_DIR: ':/llmtap/php',
      LLMTAP_SESSION_ID: open.session.sessionId,
      LLMTAP_RUN_ID: open.session.runId,
    });
    expect(env).not.toHaveProperty('CLINE_HUB_DISCOVERY_PATH');
  });

  it('keep the credentials out of the command line, in a file for the user alone', () => {
    const args = makeContainerArgs(openSession('172.17.0.1'));
    const { env, envFile, folder } = readFlags(args);
    const [, password = ''] = (open.credentials ?? '').split(':');
    expect(args.join(' ')).not.toContain(password);
    expect(env.HTTPS_PROXY).toBe(`http://${open.credentials}@host.docker.internal:${open.port}`);
    expect(JSON.parse(env.LLMTAP_HOOK ?? '')).toMatchObject({ proxy: env.HTTPS_PROXY, registered: [] });
    expect(statSync(envFile).mode & 0o777).toBe(0o600);
    expect(envFile.startsWith(`${folder}/`)).toBe(false);
  });

  it.each<[string, string, ContainerOptions, NodeJS.Platform, Partial<Flags>, string]>([
    ['docker', '172.17.0.1', {}, 'linux', { addHost: 'host.docker.internal:172.17.0.1' }, 'host.docker.internal'],
    ['docker', '0.0.0.0', {}, 'linux', { addHost: 'host.docker.internal:host-gateway' }, 'host.docker.internal'],
    ['docker, named', '::', { hostName: 'tap' }, 'linux', { addHost: 'tap:host-gateway' }, 'tap'],
    ['docker, by address', '0.0.0.0', { hostName: '10.0.0.9' }, 'linux', { addHost: undefined }, '10.0.0.9'],
    ['Docker Desktop', '127.0.0.1', {}, 'darwin', { addHost: undefined }, 'host.docker.internal'],
    ['podman', '0.0.0.0', { engine: 'podman' }, 'linux', { addHost: undefined }, 'host.containers.internal'],
    ['docker on the host’s network', '127.0.0.1', { network: 'host' }, 'linux', { network: 'host' }, '127.0.0.1'],
    ['podman on it', '0.0.0.0', { engine: 'podman', network: 'host' }, 'linux', { network: 'host' }, '127.0.0.1'],
  ])('lead to this machine: %s, listening on %s', (_name, host, options, platform, expected, hostName) => {
    const flags = readFlags(makeContainerArgs(openSession(host), options, platform));
    expect(flags).toMatchObject(expected);
    expect(new URL(flags.env.HTTPS_PROXY ?? '').hostname).toBe(hostName);
  });

  it.each<[ContainerOptions, RegExp]>([
    [{}, /bindAddress: '172\.17\.0\.1'.*network: 'host'/],
    [{ engine: 'podman' }, /bindAddress: '0\.0\.0\.0'.*network: 'host'/],
  ])('are refused for a door on loopback that %j cannot reach, with what to do', (options, hint) => {
    expect(() => makeContainerArgs(openSession('127.0.0.1'), options, 'linux')).toThrow(
      expect.objectContaining({ code: 'CONTAINER_UNREACHABLE', hint: expect.stringMatching(hint) }),
    );
  });

  it('keep what the container has of its own, but for CA files, which are not here', () => {
    const env = {
      NODE_OPTIONS: '--max-old-space-size=4096',
      NO_PROXY: 'db.internal',
      PHP_INI_SCAN_DIR: '/etc/php.d',
      SSL_CERT_FILE: '/in/container.pem',
      PATH: '/bin',
    };
    const flags = readFlags(makeContainerArgs(openSession('172.17.0.1'), { env }));
    expect(flags.env).toMatchObject({
      NODE_OPTIONS: '--max-old-space-size=4096 --require=/llmtap/node-hook.cjs',
      NO_PROXY: 'db.internal,localhost,127.0.0.1,::1',
      PHP_INI_SCAN_DIR: '/etc/php.d:/llmtap/php',
      SSL_CERT_FILE: '/llmtap/ca-bundle.pem',
    });
    expect(flags.env).not.toHaveProperty('PATH');
  });

  it('leave a running container’s files alone when they are made again, and another’s variables too', () => {
    const session = openSession('172.17.0.1');
    const first = readFlags(makeContainerArgs(session));
    const inode = statSync(join(first.folder, 'ca-bundle.pem')).ino;
    const other = readFlags(makeContainerArgs(session, { env: { NO_PROXY: 'x' } }));
    expect(statSync(join(other.folder, 'ca-bundle.pem')).ino).toBe(inode);
    expect(other.envFile).not.toBe(first.envFile);
    expect(readFlags(makeContainerArgs(session))).toEqual(first);
  });

  it('go with the session', () => {
    const session = openSession('172.17.0.1');
    const { envFile, folder } = readFlags(makeContainerArgs(session));
    session.close();
    for (const path of [envFile, folder]) expect(() => statSync(path)).toThrow('ENOENT');
  });

  it.each([
    ['with a colon', 'a:b', true],
    ['with a comma', 'a,b', true],
    ['with a blank', 'a b', true],
    ['with both', 'a:b,c', false],
  ])('mount a home %s, or say that no flag can', (_what, name, isPossible) => {
    const session = openSession('172.17.0.1', { home: join(rig.home, name) });
    if (isPossible) expect(readFlags(makeContainerArgs(session)).folder).toContain(`/${name}/sessions/`);
    else expect(() => makeContainerArgs(session)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it.each<[unknown]>([
    [{ engine: 'lxc' }],
    [{ network: 'none' }],
    [{ hostName: 'a b' }],
    [{ hostName: 'host:8080' }],
    [{ env: { NODE_OPTIONS: '--a\n--b' } }],
    [{ env: { NODE_OPTIONS: '"--a"' } }],
  ])('are refused with options that mean nothing: %j', (options) => {
    expect(() => makeContainerArgs(openSession('172.17.0.1'), options as ContainerOptions)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', hint: expect.any(String) }),
    );
  });
});

describe('programs with a container’s variables', () => {
  const url = 'https://api.openai.com/v1/chat/completions';
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  const programs = [
    { name: 'node', command: [process.execPath, findAgent('call.cjs')], isThere: true },
    { name: 'node with an agent of its own', command: [process.execPath, findAgent('call-https.cjs')], isThere: true },
    {
      name: 'curl',
      command: ['curl', '-sS', '-d', chatRequest, '-H', 'content-type: application/json', url],
      isThere: true,
    },
    { name: 'python3', command: ['python3', findAgent('call.py')], isThere: hasProgram('python3') },
  ].filter(({ isThere }) => isThere);

  async function recordOf(command: readonly string[], flags: Flags): Promise<void> {
    const known = rig.records.length;
    const { stdout, stderr } = await runChild(command, { env: makeInnerEnv(flags) });
    expect(stderr).toBe('');
    expect(stdout).toContain('Hello.');
    const records = await rig.waitForRecords(known + 1);
    expect(records.slice(known)).toEqual([expect.objectContaining({ sessionId: open.session.sessionId, status: 200 })]);
  }

  it.each(programs)('on the host’s network are recorded: $name', async ({ command }) => {
    await recordOf(command, readFlags(makeContainerArgs(openSession('127.0.0.1'), { network: 'host' })));
  });

  describe.skipIf(address === undefined)(
    'that come over an address of this machine’s (needs one besides loopback)',
    () => {
      let forwarder: net.Server;
      beforeAll(async () => {
        forwarder = net.createServer((socket) => {
          const onward = net.connect(open.port, '127.0.0.1');
          socket.on('error', () => undefined).once('close', () => onward.destroy());
          onward.on('error', () => undefined).once('close', () => socket.destroy());
          socket.pipe(onward).pipe(socket);
        });
        await new Promise<void>((resolve) => forwarder.listen(0, address, resolve));
      });
      afterAll(() => new Promise((resolve) => forwarder.close(resolve)));

      it.each(programs)('are recorded: $name', async ({ command }) => {
        const { port } = forwarder.address() as net.AddressInfo;
        const door = { host: address ?? '', port, authorization: authorization() };
        const session = openSession(door.host, { door });
        // Nothing here knows the name docker would give this machine.
        await recordOf(command, readFlags(makeContainerArgs(session, { hostName: door.host })));
      });
    },
  );
});

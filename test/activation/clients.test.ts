import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ChildEnvOptions, makeChildEnv } from '../../src/activation/child-env.js';
import { openJavaTrust } from '../../src/activation/java-files.js';
import { openSessionFiles, type SessionFiles } from '../../src/activation/session-files.js';
import type { Origin } from '../../src/core/wire.js';
import { hasProgram, nodePath, openTunnelLab, runChild, type TunnelLab, upstreamHost } from './tunnel-lab.js';

let lab: TunnelLab;
let files: SessionFiles;
beforeAll(async () => {
  lab = await openTunnelLab();
  const home = join(lab.folder, 'llmtap home');
  const parentEnv = { HOME: lab.folder };
  const { proxyUrl, caPath: bundlePath } = lab;
  files = openSessionFiles({ home, sessionId: 'sess_0123456789ab', parentEnv, proxyUrl, bundlePath });
});
afterAll(async () => {
  files.close();
  await lab.close();
});
beforeEach(() => {
  lab.connects.length = 0;
  lab.forwarded.length = 0;
});
afterEach(() => lab.requireLogin(null));

/** The lab's root stands for every bundle: a client that reads the variable trusts the upstream, another does not. */
function makeEnv(more: Partial<ChildEnvOptions> = {}): Record<string, string> {
  return makeChildEnv({
    parentEnv: {},
    proxyUrl: lab.proxyUrl,
    caPath: lab.caPath,
    extraCaPath: lab.caPath,
    bundleFor: () => lab.caPath,
    sessionFolder: files.folder,
    hookPath: lab.hookPath,
    registered: [],
    ...more,
  });
}

const url = `https://${upstreamHost}/styled`;
const urllib = 'import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1]).read().decode())';
const requests = 'import requests, sys; print(requests.get(sys.argv[1]).text)';
const httpx = 'import httpx, sys; print(httpx.get(sys.argv[1]).text)';
const lwp = 'use LWP::UserAgent; print LWP::UserAgent->new(env_proxy => 1)->get($ARGV[0])->decoded_content';
const ruby = 'require "net/http"; puts Net::HTTP.get(URI(ARGV[0]))';
const php = '$c = curl_init($argv[1]); curl_exec($c);';
const node = 'fetch(process.argv[1]).then((r) => r.text()).then(console.log)';

/** Each program with what shows that it is there; without a probe it has to be: its absence is a failure. */
const clients: readonly {
  readonly name: string;
  readonly probe?: readonly string[];
  readonly command: readonly string[];
}[] = [
  { name: 'curl', command: ['curl', '-sS'] },
  { name: 'wget', probe: ['wget'], command: ['wget', '-q', '-O', '-'] },
  { name: 'Python urllib', command: ['python3', '-c', urllib] },
  { name: 'Python requests', probe: ['python3', '-c', 'import requests'], command: ['python3', '-c', requests] },
  { name: 'Python httpx', probe: ['python3', '-c', 'import httpx'], command: ['python3', '-c', httpx] },
  { name: 'Perl LWP', probe: ['perl', '-MLWP::Protocol::https', '-e', '1'], command: ['perl', '-e', lwp] },
  { name: 'Ruby net/http', probe: ['ruby'], command: ['ruby', '-e', ruby] },
  { name: 'PHP curl', probe: ['php', '-r', 'curl_init();'], command: ['php', '-r', php] },
  { name: 'Node fetch', command: [nodePath, '-e', node] },
];

describe('a child with nothing but the environment', () => {
  for (const { name: program, probe, command } of clients) {
    const isMissing = probe !== undefined && !hasProgram(...probe);
    const name = probe === undefined ? program : `${program} (needs ${probe[0]}${probe.length > 1 ? ' with it' : ''})`;
    it.skipIf(isMissing)(`goes through the proxy and trusts it: ${name}`, async () => {
      const result = await runChild([...command, url], { env: makeEnv() });
      expect(result.stdout).toContain('"url":"/styled"');
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(lab.connects.map(({ authority }) => authority)).toEqual([`${upstreamHost}:443`]);
    });

    it.skipIf(isMissing)(`reaches an unregistered server on loopback directly: ${name}`, async () => {
      const result = await runChild([...command, `http://localhost:${lab.plainPort}/local`], { env: makeEnv() });
      expect(result.stdout).toContain('"url":"/local"');
      expect([...lab.connects, ...lab.forwarded]).toEqual([]);
    });

    it.skipIf(isMissing)(`reaches a registered model on loopback through the proxy: ${name}`, async () => {
      const registered: Origin[] = [{ scheme: 'http', host: 'localhost', port: lab.plainPort }];
      const local = `http://localhost:${lab.plainPort}/local`;
      const parentEnv = { NO_PROXY: 'localhost,127.0.0.1' };
      const result = await runChild([...command, local], { env: makeEnv({ registered, parentEnv }) });
      expect(result.stdout).toContain('"url":"/local"');
      expect([...lab.connects.map(({ authority }) => authority), ...lab.forwarded]).toHaveLength(1);
    });

    it.skipIf(isMissing)(`logs in to a proxy whose URL has credentials: ${name}`, async () => {
      lab.requireLogin('sess:token');
      const proxyUrl = `http://sess:token@127.0.0.1:${lab.proxyPort}`;
      const result = await runChild([...command, url], { env: makeEnv({ proxyUrl }) });
      expect(result.stdout).toContain('"url":"/styled"');
    });
  }

  it.skipIf(!hasProgram('git'))('goes through the proxy and trusts it: git (needs git)', async () => {
    await runChild(['git', 'ls-remote', `https://${upstreamHost}/repository.git`], { env: makeEnv() });
    // The upstream is no git server; that it was asked shows that TLS was trusted.
    expect(lab.asked).toContain('GET /repository.git/info/refs?service=git-upload-pack');
    expect(lab.connects.map(({ authority }) => authority)).toEqual([`${upstreamHost}:443`]);
  });

  it.skipIf(!hasProgram('wget'))('overrides a proxy of the user’s own wgetrc: wget (needs wget)', async () => {
    const own = join(lab.folder, 'own-wgetrc');
    writeFileSync(own, 'https_proxy = http://127.0.0.1:1\n');
    const session = openSessionFiles({
      home: join(lab.folder, 'second home'),
      sessionId: 'sess_0123456789ab',
      parentEnv: { WGETRC: own },
      proxyUrl: lab.proxyUrl,
      bundlePath: lab.caPath,
    });
    const env = makeEnv({ sessionFolder: session.folder });
    expect((await runChild(['wget', '-q', '-O', '-', url], { env })).stdout).toContain('/styled');
    session.close();
  });
});

const program = `
import java.net.URI;
import java.net.http.*;
public class Ask {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    for (var url : args) System.out.println(client.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString()).body());
  }
}`;

describe('Java', () => {
  const hasJava = hasProgram('java', '-version') && hasProgram('keytool', '-help');

  it.skipIf(!hasJava)(
    'goes through the proxy, trusts it, keeps loopback direct (needs a JDK)',
    { timeout: 60_000 },
    async () => {
      const source = join(lab.folder, 'Ask.java');
      writeFileSync(source, program);
      const { caPath } = lab;
      const java = await openJavaTrust({ parentEnv: process.env, sessionFolder: files.folder, caPath });
      const env = makeEnv({ java, parentEnv: { JAVA_TOOL_OPTIONS: '-Xshare:auto' } });
      const result = await runChild(['java', source, url, `http://localhost:${lab.plainPort}/local`], { env });
      expect(result.stdout).toMatch(/"\/styled".*\n.*"\/local"/);
      expect(result.stderr).toMatch(/^Picked up JAVA_TOOL_OPTIONS: -Xshare:auto /);
      expect(lab.connects.map(({ authority }) => authority)).toEqual([`${upstreamHost}:443`]);
      expect(lab.forwarded).toEqual([]);
    },
  );

  it.skipIf(!hasJava)(
    'keeps the trust store the user’s own options name (needs a JDK)',
    { timeout: 60_000 },
    async () => {
      const first = await openJavaTrust({ parentEnv: process.env, sessionFolder: files.folder, caPath: lab.caPath });
      const own = join(lab.folder, 'own store');
      writeFileSync(own, readFileSync(first.trustStorePath));
      const JAVA_TOOL_OPTIONS = `"-Djavax.net.ssl.trustStore=${own}"`;
      const options = { sessionFolder: files.folder, caPath: lab.caPath };
      // The name is taken in that store: keytool says so, which shows the copy was of this one.
      await expect(
        openJavaTrust({ ...options, parentEnv: { ...process.env, JAVA_TOOL_OPTIONS } }),
      ).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('own store'),
      });
    },
  );

  it.skipIf(process.platform === 'win32')('refuses a trust store that is a pipe (needs mkfifo)', async () => {
    const tools = join(lab.folder, 'tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'keytool'), '');
    const pipe = join(tools, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const parentEnv = { PATH: tools, JAVA_TOOL_OPTIONS: `"-Djavax.net.ssl.trustStore=${pipe}"` };
    const opening = openJavaTrust({ parentEnv, sessionFolder: files.folder, caPath: lab.caPath });
    await expect(opening).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('it is no regular file'),
    });
  });

  it('says so when there is no keytool', async () => {
    const empty = join(lab.folder, 'empty');
    mkdirSync(empty);
    const opening = openJavaTrust({ parentEnv: { PATH: empty }, sessionFolder: files.folder, caPath: lab.caPath });
    await expect(opening).rejects.toMatchObject({ code: 'OPTION_INVALID', hint: expect.stringContaining('JAVA_HOME') });
  });
});

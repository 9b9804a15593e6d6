import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import { openRawProvider, type RawProvider } from '../../fixtures/raw-provider.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { openSpawnSession, type SpawnSession } from '../../fixtures/spawn-session.js';
import { hasProgram } from '../tunnel-lab.js';

let rig: Rig;
let session: SpawnSession;
let provider: RawProvider;
let undo: () => void;
const path = '/v1/chat/completions';

beforeAll(async () => {
  rig = await openRig();
  provider = await openRawProvider(rig.upstream.certificate);
  rig.host.registerProvider({ name: 'raw', baseUrl: `https://localhost:${provider.port}` });
  session = openSpawnSession(rig);
  undo = installSpawn();
});
afterAll(async () => {
  undo();
  await session.whenAlone();
  session.close();
  await provider.close();
  await rig.close();
});

const json = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const heads: Readonly<Record<string, string>> = {
  'by its length': `${json}Content-Length: 999\r\n\r\n{"id":"x"`,
  'by chunks': `${json}Transfer-Encoding: chunked\r\n\r\n9\r\n{"id":"x"\r\n`,
  'by its connection': `${json}Connection: close\r\n\r\n{"id":"x"`,
};
const say = `const say = (error) => console.log('', error.name, error.message, error.code, error.cause?.message, error.cause?.code);`;
const viaFetch = `${say} fetch(process.argv[1], { method: 'POST', body: '{}' })
  .then(async (reply) => { for await (const chunk of reply.body) process.stdout.write(chunk); console.log(' whole'); }).catch(say)`;
const viaHttps = `${say} require('https').request(process.argv[1], { method: 'POST' }, (reply) => {
  reply.on('data', (chunk) => process.stdout.write(chunk)).on('end', () => console.log(' whole')).on('error', say); }).on('error', say).end('{}')`;
const programs: readonly (readonly [string, readonly string[]])[] = [
  ['fetch of Node', [process.execPath, '-e', viaFetch]],
  ['https of Node', [process.execPath, '-e', viaHttps]],
  ['curl', ['curl', '--http1.1', '-sSN', '-d', '{}']],
];

/** What a child says of a reply, and how it ends; a connection to be reset is when it has what came before. */
async function run(command: readonly string[], caPath: string): Promise<unknown> {
  const [program = '', ...args] = command;
  const trust = { NODE_EXTRA_CA_CERTS: caPath, CURL_CA_BUNDLE: caPath };
  const env = { PATH: process.env.PATH, ...(caPath !== '' && trust) };
  const child = spawn(program, [...args, `https://localhost:${provider.port}${path}`], { env });
  let text = '';
  let problem = '';
  child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes('{"id":"x"') && provider.answers.get(path)?.ending === 'reset') provider.reset(path);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  // curl's own words for how a direct connection and one through a proxy ended differ by no more than their codes.
  return { text, code, problem: problem.replace(/^curl: \((\d+)\)[\s\S]*/, '$1') };
}

describe.each(programs)('a reply to %s in a child that its provider breaks off', (name, command) => {
  const cases = Object.keys(heads).flatMap((how) =>
    (['end', 'drop', 'reset'] as const).map((ending) => [how, ending] as const),
  );

  it.skipIf(name === 'curl' && !hasProgram('curl')).each(cases)(
    'is the same in a session, where it was to end %s and there was %s',
    async (how, ending) => {
      provider.answers.set(path, { text: heads[how] ?? '', ending });
      const outside = await run(command, rig.upstream.caPath);
      expect(await runInScope(session, () => run(command, ''))).toEqual(outside);
    },
  );
});

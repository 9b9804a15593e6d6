import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ExampleCertificates,
  exampleHosts,
  makeExampleCertificates,
} from '../../examples/provider/certificates.js';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';

const run = promisify(execFile);
const agents = fileURLToPath(new URL('../../examples/agents/', import.meta.url));

let folder: string;
let certificates: ExampleCertificates;
let provider: ExampleProvider;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llmtap-examples-'));
  certificates = await makeExampleCertificates(folder);
  provider = await openExampleProvider({ tls: certificates });
});

afterAll(async () => {
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

/** What an agent prints when its package is told where the provider is. */
async function runAgent(file: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    NODE_EXTRA_CA_CERTS: certificates.caPath,
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: `${provider.url}/v1`,
    ANTHROPIC_API_KEY: 'key',
    ANTHROPIC_BASE_URL: provider.url,
    GEMINI_API_KEY: 'key',
    GOOGLE_GEMINI_BASE_URL: provider.url,
  };
  const { stdout, stderr } = await run(process.execPath, [join(agents, file), ...args], { env });
  expect(stderr).toBe('');
  return stdout;
}

describe('an example agent over TLS', () => {
  it.each(['openai-agent.js', 'anthropic-agent.js', 'gemini-agent.js'])(
    '%s asks, streams and calls a tool',
    async (file) => {
      const before = provider.requests.length;
      const said = await runAgent(file, 'Porto');
      expect(said.split('\n').slice(0, 4)).toEqual([
        'plain:    You wrote 7 words, the first of them “What”. That is all I know. ☺',
        'streamed: You wrote 7 words, the first of them “Tell”. That is all I know. ☺',
        'tool:     get_weather(Porto)',
        'answered: The tool says Porto: sunny, 21 degrees.',
      ]);
      const seen = provider.requests.slice(before);
      expect(seen.map(({ stream, end }) => [stream, end])).toEqual([
        [false, 'whole'],
        [true, 'whole'],
        [false, 'whole'],
        [false, 'whole'],
      ]);
    },
  );

  it('local-model-agent.js asks and streams over plain HTTP without a key', async () => {
    const local = await openExampleProvider();
    const said = await runAgent('local-model-agent.js', `http://localhost:${local.port}/v1`);
    await local.close();
    expect(said).toMatch(/^plain: {4}You wrote 6 words.*\nstreamed: You wrote 6 words.*\n$/u);
    expect(local.requests).toHaveLength(2);
  });
});

describe('the certificates of the example provider', () => {
  it.each(exampleHosts.filter((host) => !/^[\d:.]+$/u.test(host)))('are good for %s', async (servername) => {
    const socket = connect({ host: '127.0.0.1', port: provider.port, servername, ca: certificates.caPem });
    const subject = await new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(socket.getPeerCertificate().subject.CN));
      socket.once('error', reject);
    });
    socket.destroy();
    expect(subject).toBe(servername);
  });

  it('come from a root whose name says that it is thrown away', () => {
    const root = new X509Certificate(certificates.caPem);
    expect(root.subject).toMatch(/^O=llmtap example provider\nCN=Throw-away example root/u);
    const served = new X509Certificate(certificates.certs['api.openai.com'] ?? '');
    expect(served.checkIssued(root) && served.verify(root.publicKey)).toBe(true);
  });
});

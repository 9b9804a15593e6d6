import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasProgram } from '../activation/tunnel-lab.js';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab.close());

const hasCurl = hasProgram('curl');

function curl(model: string, ...options: readonly string[]): string[] {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hello.' }] });
  const head = ['-H', 'content-type: application/json', '-H', 'authorization: Bearer sk-example'];
  return ['curl', '-sS', '-N', ...head, ...options, '-d', body, 'https://api.openai.com/v1/chat/completions'];
}

it.skipIf(!hasCurl)('a provider that never answers is left when its client gives up', async () => {
  const { status } = await lab.run(curl('hang', '--max-time', '1'), { flags: ['--run-id', 'hang'] });
  expect(status).toBe(28);
  const [record, ...more] = lab.readCalls('hang');
  expect(more).toEqual([]);
  expect(record).toMatchObject({ outcome: 'client_aborted', status: 0, requestedModel: 'hang' });
  expect(record).toMatchObject({ timeToFirstByteMs: null, usage: { inputTokens: null } });
  expect(lab.provider.requests.at(-1)?.end).toBe('client_gone');
});

// curl's own numbers: 18 is a transfer cut short, 92 a stream of HTTP/2 that was reset.
it.skipIf(!hasCurl).each([
  ['--http1.1', 18],
  ['--http2', 92],
])('a stream cut by its provider is cut for its client (%s), and what was seen is on record', async (version, exit) => {
  const runId = `cut ${version}`;
  const asked = curl('cut-3', version, '--max-time', '20');
  const { status, stdout } = await lab.run(asked, { flags: ['--run-id', runId] });
  expect(status).toBe(exit);
  expect(stdout.match(/^data: /gm)).toHaveLength(3);
  const [record, ...more] = lab.readCalls(runId);
  expect(more).toEqual([]);
  expect(record).toMatchObject({ outcome: 'upstream_aborted', status: 200, error: { code: 'UPSTREAM_ABORTED' } });
  expect(record?.responseId).toBe(lab.provider.requests.at(-1)?.responseId);
  expect(record?.usageProblem).toMatch(/\S/);
});

it.skipIf(!hasCurl)('an error inside a stream is on record, though the status said all was well', async () => {
  const { status } = await lab.run(curl('break-2', '--max-time', '20'), { flags: ['--run-id', 'break'] });
  expect(status).toBe(0);
  expect(lab.readCalls('break')).toMatchObject([{ status: 200, error: { message: expect.stringContaining('error') } }]);
});

it.skipIf(!hasCurl)('a provider that refuses the connection is a 502 that says so, and one record', async () => {
  const asked = curl('m', '-w', '%{http_code}', '--max-time', '20');
  // Nothing listens on port 1.
  const env = { ...lab.env, LLMTAP_CONNECT_TO: 'api.openai.com:443:127.0.0.1:1' };
  const { stdout } = await lab.runPlain(asked, { flags: ['--run-id', 'refused'], env });
  expect(stdout).toMatch(/"code":"UPSTREAM_UNREACHABLE".*502$/s);
  expect(lab.readCalls('refused')).toMatchObject([
    { outcome: 'upstream_error', status: 0, error: { code: 'UPSTREAM_UNREACHABLE' }, usage: { inputTokens: null } },
  ]);
});

it.skipIf(!hasCurl)('a provider whose certificate does not verify gets nothing of the call', async () => {
  const env = { ...lab.env, LLMTAP_CONNECT_TO: `:443:127.0.0.1:${lab.provider.port}` };
  const before = lab.provider.requests.length;
  const asked = curl('m', '-w', '%{http_code}', '--max-time', '20');
  const { stdout } = await lab.runPlain(asked, { flags: ['--run-id', 'unverified'], env });
  expect(stdout).toMatch(/"code":"UPSTREAM_TLS_UNVERIFIED".*502$/s);
  expect(lab.provider.requests).toHaveLength(before);
  expect(lab.readCalls('unverified')).toMatchObject([{ error: { code: 'UPSTREAM_TLS_UNVERIFIED' } }]);
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeenRequest } from '../../examples/provider/provider.js';
import type { CallRecord } from '../../src/core/call-record.js';
import { findChild, type Lab, openLab, runChild } from './lab.js';

/** Clients of the two clouds whose requests carry a signature or a token: they are compared by what they say. */
const children = [
  { name: '@aws-sdk/client-bedrock-runtime', file: 'bedrock-child.js', calls: 15, others: 0 },
  { name: '@google/genai and @anthropic-ai/vertex-sdk', file: 'vertex-child.js', calls: 6, others: 1 },
];

/** The package says on stderr which versions of Node.js it will not support. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

describe.each(children)('a child on $name', ({ file, calls, others }) => {
  let lab: Lab;
  let served: readonly SeenRequest[];
  let said: { readonly direct: string; readonly tapped: string };
  let records: readonly CallRecord[];

  beforeAll(async () => {
    lab = await openLab();
    const command = [process.execPath, findChild(file)];
    const where = {
      NODE_EXTRA_CA_CERTS: lab.caPath,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: lab.provider.url,
      GOOGLE_VERTEX_BASE_URL: lab.provider.url,
      ANTHROPIC_VERTEX_BASE_URL: `${lab.provider.url}/v1`,
    };
    const alone = await runChild(command, { env: { ...lab.env, ...quiet, ...where } });
    expect(alone).toMatchObject({ status: 0, stderr: '' });
    const before = lab.provider.requests.length;
    const seen = await lab.run(command, { env: { ...lab.env, ...quiet }, flags: ['--run-id', file] });
    expect(seen).toMatchObject({ status: 0, stderr: '' });
    served = lab.provider.requests.slice(before);
    said = { direct: alone.stdout, tapped: seen.stdout };
    records = lab.readCalls(file);
  });
  afterAll(async () => await lab.close());

  it('says byte for byte what it says without llmtap', () => {
    expect(said.direct.length).toBeGreaterThan(1000);
    expect(said.tapped).toBe(said.direct);
  });

  it('has every call on record with the numbers that were billed, and nothing changed', () => {
    expect(served).toHaveLength(calls + others);
    // The stream that breaks is told about below: its client may leave before it has ended.
    const told = records.filter(({ requestedModel }) => requestedModel !== 'break-3');
    expect(records).toHaveLength(calls);
    expect(told.map(pickRecorded)).toEqual(
      served.filter(({ path }) => !/break-3|count-tokens/.test(path)).map(pickBilled),
    );
  });
});

describe('AWS’s codec', () => {
  it('is not loaded with the tap, but by the first message there is', async () => {
    const program = `import { createRequire } from 'node:module';
      const { cache } = createRequire(import.meta.url);
      const isLoaded = () => Object.keys(cache).some((path) => path.includes('@smithy'));
      const { openHost } = await import('./dist/host/host.js');
      const { EventStreamReader } = await import('./dist/providers/wire/event-stream.js');
      const before = [typeof openHost, isLoaded()];
      new EventStreamReader(() => undefined).write(Buffer.from('AAAAEAAAAAAFwkjrfZjI/w==', 'base64'));
      console.log(JSON.stringify([...before, isLoaded()]));`;
    const command = [process.execPath, '--input-type=module', '-e', program];
    const { stdout, stderr } = await runChild(command, { env: {}, cwd: process.cwd() });
    expect({ said: JSON.parse(stdout), stderr }).toEqual({ said: ['function', false, true], stderr: '' });
  });
});

describe('the records of a child on Bedrock', () => {
  let lab: Lab;
  let records: readonly CallRecord[];
  beforeAll(async () => {
    lab = await openLab();
    const command = [process.execPath, findChild('bedrock-child.js')];
    const seen = await lab.run(command, { env: { ...lab.env, ...quiet }, flags: ['--run-id', 'bedrock'] });
    expect(seen).toMatchObject({ status: 0, stderr: '' });
    records = lab.readCalls('bedrock');
  });
  afterAll(async () => await lab.close());

  it('name the model of the URL, decoded', () => {
    const asked = new Set(records.map(({ requestedModel }) => requestedModel));
    expect(asked).toContain('us.anthropic.claude-haiku-4-5-20251001-v1:0');
    expect(asked).toContain('arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3');
  });

  it('have tools, stop reasons, tiers, the lifetime of cached tokens and the first token of streams', () => {
    expect(records.filter(({ toolCalls }) => toolCalls.join() === 'get_weather')).toHaveLength(2);
    const [plain, stream] = records;
    expect(plain).toMatchObject({ finishReasons: ['end_turn'], serviceTier: 'default' });
    expect(plain?.usageDetails).toEqual({ cacheWrite5mTokens: plain?.usage.cacheWriteTokens });
    expect(stream?.usageDetails).toEqual(plain?.usageDetails);
    for (const record of records.filter(({ stream: isStream, error }) => isStream && error === null))
      expect(record.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it('have a stream as text, and the exception that broke one for its error', () => {
    const body = records[1]?.responseBody;
    expect(body).toMatch(/^\{"messageStart":\{.*\}\}\n\{"contentBlockDelta":/);
    const invoked = records.find(({ api }) => api === 'invokeModelWithResponseStream');
    expect(invoked?.responseBody).toMatch(/^\{"type":"message_start"/);
    const broken = records.find(({ requestedModel }) => requestedModel === 'break-3');
    expect(broken).toMatchObject({ partial: true, usage: { outputTokens: null } });
    if (broken?.outcome === 'ok') expect(broken.error?.code).toBe('modelStreamErrorException');
    else expect(broken?.outcome).toBe('client_aborted');
    const refused = records.find(({ requestedModel }) => requestedModel === 'fail-429');
    expect(refused).toMatchObject({ outcome: 'http_error', status: 429, error: { code: 'ThrottlingException' } });
  });
});

function pickBilled({ provider, api, stream, status, bill, end }: SeenRequest) {
  const method = stream && api === 'generateContent' ? 'streamGenerateContent' : api;
  const facts = { provider, api: method, stream: stream && status === 200, status, end, changes: [] };
  const isWhole = status === 200 && bill !== null;
  return { ...facts, usage: isWhole ? [bill.inputTokens, bill.outputTokens, bill.cacheReadTokens] : null };
}

function pickRecorded({ provider, api, stream, status, usage, outcome, changes, partial }: CallRecord) {
  const end = outcome === 'ok' || outcome === 'http_error' ? 'whole' : outcome;
  const facts = { provider, api, stream, status, end, changes };
  const isWhole = status === 200 && !partial;
  return { ...facts, usage: isWhole ? [usage.inputTokens, usage.outputTokens, usage.cacheReadTokens] : null };
}

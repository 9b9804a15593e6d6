import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeenRequest } from '../../examples/provider/provider.js';
import type { CallRecord } from '../../src/core/call-record.js';
import { findChild, type Lab, openLab, runChild } from './lab.js';

const children = [
  { name: 'openai', file: 'openai-child.js', calls: 11, failures: 3, passed: 1, asked: 3 },
  { name: '@anthropic-ai/sdk', file: 'anthropic-child.js', calls: 7, failures: 2, passed: 1, asked: 0 },
  { name: '@google/genai', file: 'gemini-child.js', calls: 4, failures: 1, passed: 0, asked: 0 },
];

const modelApis = ['chat.completions', 'completions', 'responses', 'embeddings', 'messages', 'generateContent'];

describe.each([
  { compress: false, replies: 'plain' },
  { compress: true, replies: 'compressed' },
])('with $replies replies', ({ compress, replies }) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ compress });
  });
  afterAll(async () => await lab.close());

  describe.each(children)('a child on the official package $name', ({ file, calls, failures, passed, asked }) => {
    const runId = `${file}-${replies}`;
    let direct: readonly SeenRequest[];
    let tapped: readonly SeenRequest[];
    let said: { readonly direct: string; readonly tapped: string };
    let records: readonly CallRecord[];

    beforeAll(async () => {
      const command = [process.execPath, findChild(file)];
      const where = {
        NODE_EXTRA_CA_CERTS: lab.caPath,
        OPENAI_BASE_URL: `${lab.provider.url}/v1`,
        ANTHROPIC_BASE_URL: lab.provider.url,
        GOOGLE_GEMINI_BASE_URL: lab.provider.url,
      };
      const start = lab.provider.requests.length;
      const alone = await runChild(command, { env: { ...lab.env, ...where } });
      expect(alone).toMatchObject({ status: 0, stderr: '' });
      const middle = lab.provider.requests.length;
      const seen = await lab.run(command, { flags: ['--run-id', runId] });
      expect(seen).toMatchObject({ status: 0, stderr: '' });
      direct = lab.provider.requests.slice(start, middle);
      tapped = lab.provider.requests.slice(middle);
      said = { direct: alone.stdout, tapped: seen.stdout };
      records = lab.readCalls(runId);
    });

    const askedChanges = [
      'request: stream_options.include_usage set',
      'reply: usage frame hidden',
      'reply: empty usage members hidden',
    ];

    it('says byte for byte what it says without llmtap', () => {
      expect(said.direct.length).toBeGreaterThan(1000);
      expect(said.tapped).toBe(said.direct);
    });

    it('sends the provider the same headers and bodies, but for usage asked of streams', () => {
      expect(tapped.map(pickSent)).toEqual(direct.map(pickSent));
      expect(tapped.filter((seen, i) => seen.asksForUsage && direct[i]?.asksForUsage === false)).toHaveLength(asked);
    });

    it('has every call on record with the numbers that were billed, and nothing else', () => {
      const expected = tapped.filter(({ api }) => api !== null && modelApis.includes(api));
      expect(expected).toHaveLength(calls + failures);
      expect(tapped).toHaveLength(calls + failures + passed);
      expect(records.map(pickRecorded)).toEqual(expected.map(pickBilled));
    });

    it('has on record how each call ended and what was changed on the way', () => {
      const failed = records.filter(({ outcome }) => outcome === 'http_error');
      expect(failed.map(({ status, usage }) => [status >= 400, usage.inputTokens])).toEqual(
        Array.from({ length: failures }, () => [true, null]),
      );
      for (const { error } of failed) expect(error?.message).toMatch(/^HTTP \d{3}: \S/);
      const changed = records.filter(({ changes }) => changes.length > 0);
      expect(changed.map(({ changes }) => changes)).toEqual(Array.from({ length: asked }, () => askedChanges));
    });

    it('has on record the tools called, and times that can be', () => {
      const withTools = records.filter(({ toolCalls }) => toolCalls.length > 0);
      expect(withTools.length).toBeGreaterThanOrEqual(2);
      for (const { toolCalls } of withTools) expect(toolCalls).toEqual(['get_weather']);
      for (const record of records) expectTimes(record);
    });
  });
});

/** What the client sent, but for what the tap may add and what says where to. */
function pickSent({ method, path, rawHeaders, body }: SeenRequest) {
  const left = new Set(['host', 'content-length', 'connection']);
  const headers = rawHeaders.flatMap((value, i) => {
    const name = rawHeaders[i - (i % 2)]?.toLowerCase() ?? '';
    return left.has(name) ? [] : [value];
  });
  const { stream_options: _asked, ...own } = body ?? {};
  return { method, path, headers, body: own };
}

function pickBilled({ provider, api, stream, status, requestId, responseId, bill }: SeenRequest) {
  // Gemini has a method of its own for streams.
  const method = stream && api === 'generateContent' ? 'streamGenerateContent' : api;
  return {
    facts: { provider, api: method, stream: stream && status === 200, status, requestId, responseId },
    usage: bill === null ? null : { ...bill, totalTokens: bill.totalTokens ?? sumOf(bill) },
  };
}

/** Where a dialect states no total, the record has the sum. */
function sumOf({ inputTokens, outputTokens }: NonNullable<SeenRequest['bill']>): number | null {
  return inputTokens === null || outputTokens === null ? null : inputTokens + outputTokens;
}

function pickRecorded({ provider, api, stream, status, requestId, responseId, usage }: CallRecord) {
  return { facts: { provider, api, stream, status, requestId, responseId }, usage: status === 200 ? usage : null };
}

function expectTimes(record: CallRecord): void {
  const { latencyMs, timeToFirstByteMs, timeToFirstTokenMs, stream } = record;
  expect(timeToFirstByteMs).toBeGreaterThan(0);
  expect(latencyMs).toBeGreaterThanOrEqual(timeToFirstByteMs ?? Number.POSITIVE_INFINITY);
  if (!stream) expect(timeToFirstTokenMs).toBeNull();
  else expect(latencyMs).toBeGreaterThanOrEqual(timeToFirstTokenMs ?? Number.POSITIVE_INFINITY);
  if (record.outcome === 'ok') expect(record.streamTiming?.pieces ?? 0).toBeGreaterThanOrEqual(stream ? 1 : 0);
  if (!stream) expect(record.streamTiming).toBeNull();
  // What was worked on the call after its last byte is in it, too; but not much more than its time.
  expect(record.selfMs).toBeGreaterThan(0);
  expect(record.selfMs).toBeLessThan(latencyMs + 1000);
}

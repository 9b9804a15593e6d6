/** Anthropic's client, unchanged, whose calls a router of the user's sends to its models in the clouds. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChild, type Lab, openLab, runChild } from './lab.js';

let lab: Lab;
const command = [process.execPath, findChild('anthropic-child.js')];
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => await lab.close());

/** What a child says but for its headers and models' names, which are its provider's, and the counts Bedrock adds. */
function readSaid(stdout: string): string[] {
  const others = /,"amazon-bedrock-invocationMetrics":\{[^}]*\}|"model":"[^"]*",/g;
  const lines = stdout.trim().split('\n');
  return lines.filter((line) => !/^[\w ]*headers /.test(line)).map((line) => line.replaceAll(others, ''));
}

describe.each([
  { provider: 'aws-bedrock', apiKey: 'bedrock-key-canary-1', apis: ['invokeModel', 'invokeModelWithResponseStream'] },
  { provider: 'google-vertex', apiKey: 'ya29.token-canary-2', apis: ['messages'] },
])('a child on @anthropic-ai/sdk that llmtap run sends to $provider', ({ provider, apiKey, apis }) => {
  it('says what it says without, tools, streams and errors included', async () => {
    // The example provider knows the family by the name.
    const model = provider === 'aws-bedrock' ? "requestedModel + '.anthropic'" : 'requestedModel';
    const decision = `{ model: ${model}, provider: '${provider}', apiKey: '${apiKey}' }`;
    writeFileSync(join(lab.folder, 'clouds.mjs'), `export default ({ requestedModel }) => (${decision});`);
    const where = { NODE_EXTRA_CA_CERTS: lab.caPath, ANTHROPIC_BASE_URL: lab.provider.url };
    const alone = await runChild(command, { env: { ...lab.env, ...where } });
    expect(alone).toMatchObject({ status: 0, stderr: '' });
    const before = lab.provider.requests.length;
    const places = { AWS_REGION: 'us-east-1', CLOUD_ML_REGION: 'us-central1', ANTHROPIC_VERTEX_PROJECT_ID: 'mine' };
    const flags = ['--router', './clouds.mjs', '--run-id', provider];
    const routed = await lab.run(command, { env: { ...lab.env, ...places }, flags });
    expect(routed).toMatchObject({ status: 0, stderr: '' });
    expect(readSaid(routed.stdout)).toEqual(readSaid(alone.stdout));
    const records = lab.readCalls(provider);
    const served = lab.provider.requests.slice(before);
    // Token counting is no call, and went where it was asked.
    expect(served.filter(({ path }) => path.startsWith('/v1/messages')).map(({ path }) => path)).toEqual([
      expect.stringContaining('count_tokens'),
    ]);
    expect(records.length).toBe(served.length - 1);
    expect(new Set(records.map((record) => record.provider))).toEqual(new Set([provider]));
    expect(new Set(records.map(({ api }) => api))).toEqual(new Set(apis));
    for (const record of records.filter(({ status }) => status === 200)) {
      expect(record.outcome).toBe('ok');
      expect(record.usage.inputTokens).toBeGreaterThan(0);
      expect(record.usage.outputTokens).toBeGreaterThan(0);
    }
    expect(JSON.stringify(records)).not.toContain('canary');
  });
});

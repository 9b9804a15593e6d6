import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import type { ReplyCrossing } from '../../src/core/crossing.js';
import type { ApiAddress } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { readCloudPlaces } from '../../src/providers/cloud-places.js';
import { openRegistry } from '../../src/providers/registry.js';
import { vertexMessages } from '../../src/providers/vertex-raw.js';
import { encodeChunk, encodeEvent, encodeException } from '../fixtures/event-stream.js';

const registry = openRegistry(
  readCloudPlaces({ AWS_REGION: 'us-west-2', CLOUD_ML_REGION: 'us-east5', ANTHROPIC_VERTEX_PROJECT_ID: 'mine-1' }),
);

function find(provider: string, more: object = {}, from = registry): ApiAddress {
  const found = from.findAddress(provider, { dialect: anthropicMessages, model: 'm', stream: false, ...more });
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

function cross(provider: string, body: string, rawHeaders: readonly string[] = []) {
  const crossed = find(provider).crossing?.makeRequest({ body: Buffer.from(body), rawHeaders });
  if (crossed === undefined) throw new Error('nothing is put in another form');
  return 'problem' in crossed ? crossed.problem : { ...crossed, body: crossed.body.toString() };
}

describe('where a cloud serves messages', () => {
  it.each([
    ['us-east5', 'us-east5-aiplatform.googleapis.com'],
    ['global', 'aiplatform.googleapis.com'],
    ['us', 'aiplatform.us.rep.googleapis.com'],
    ['eu', 'aiplatform.eu.rep.googleapis.com'],
  ])('is at Vertex AI in %s %s', (region, host) => {
    for (const stream of [false, true]) {
      const found = find('google-vertex', {
        region,
        project: 'example.com:p',
        model: 'claude-opus-4-5@20251101',
        stream,
      });
      expect([found.origin.host, found.path]).toEqual([
        host,
        `/v1/projects/example.com:p/locations/${region}/publishers/anthropic/models/claude-opus-4-5@20251101:${stream ? 'streamRawPredict' : 'rawPredict'}`,
      ]);
    }
  });

  it('is what the registry recognises as a call there', () => {
    for (const provider of ['aws-bedrock', 'google-vertex'])
      for (const stream of [false, true]) {
        const { origin, path, match } = find(provider, { stream });
        const recognised = registry.recognise({ origin, path, method: 'POST', rawHeaders: [] });
        expect(recognised).toMatchObject({ provider, dialect: match.dialect });
      }
  });

  it('is an ARN’s at Bedrock, encoded as one segment', () => {
    const model = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3';
    const { origin, path } = find('aws-bedrock', { model, stream: true });
    expect([origin.host, path]).toEqual([
      'bedrock-runtime.us-west-2.amazonaws.com',
      `/model/${encodeURIComponent(model)}/invoke-with-response-stream`,
    ]);
  });

  it.each([
    ['google-vertex', { region: 'us/../x' }, /is no region/],
    ['google-vertex', { region: 'US' }, /is no region/],
    ['google-vertex', { project: 'a/b' }, /"a\/b" is no project/],
    ['google-vertex', { model: 'm:predict' }, /"m:predict" cannot stand in its path/],
    ['google-vertex', { model: '..' }, /cannot stand in its path/],
    ['aws-bedrock', { region: 'us-east-1:8443' }, /is no region/],
    ['aws-bedrock', { model: 'a/../b' }, /cannot stand in its path/],
  ])('is nowhere at %s for %j', (provider, more, why) => {
    expect(() => find(provider, more)).toThrow(why);
  });

  it('is nobody’s guess', () => {
    const nowhere = openRegistry();
    expect(() => find('aws-bedrock', {}, nowhere)).toThrow('no region is known');
    expect(() => find('google-vertex', {}, nowhere)).toThrow('no region is known');
    expect(() => find('google-vertex', { region: 'eu' }, nowhere)).toThrow('no project is known');
  });

  it('is not asked from another form, which says so', () => {
    expect(() => find('anthropic', { dialect: vertexMessages })).toThrow(
      /anthropic takes messages in another form than/,
    );
    expect(() => find('aws-bedrock', { dialect: vertexMessages })).toThrow(/another form than/);
  });

  it('is a registered provider’s own where one has the name', () => {
    const own = openRegistry(readCloudPlaces({ AWS_REGION: 'us-west-2' }));
    own.register({ name: 'aws-bedrock', baseUrl: 'http://127.0.0.1:9', dialect: 'anthropic' });
    const found = find('aws-bedrock', {}, own);
    expect([found.path, found.crossing]).toEqual(['/v1/messages', undefined]);
  });
});

describe('a request in the form of a cloud', () => {
  it.each([
    ['{"model":"a","stream":true,"x":"ä \\u00e4"}', '{"anthropic_version":"bedrock-2023-05-31","x":"ä \\u00e4"}'],
    ['{ "x" : 1 , "model" : "a" , "stream" : false }', '{"anthropic_version":"bedrock-2023-05-31", "x" : 1 }'],
    ['{"model":"a"}', '{"anthropic_version":"bedrock-2023-05-31"}'],
    [
      '{"x":{"model":"kept"},"stream":true,"model":"a"}',
      '{"anthropic_version":"bedrock-2023-05-31","x":{"model":"kept"}}',
    ],
    ['{"anthropic_version":"own","model":"a","x":1}', '{"anthropic_version":"own","x":1}'],
  ])('loses and gains members of %s alone', (body, wanted) => {
    expect(cross('aws-bedrock', body)).toMatchObject({ body: wanted });
  });

  it('keeps stream at Vertex AI, as its clients do, and betas in their header', () => {
    const headers = ['Anthropic-Version', '2023-06-01', 'anthropic-beta', 'b-1'];
    expect(cross('google-vertex', '{"model":"a","stream":true}', headers)).toEqual({
      body: '{"anthropic_version":"vertex-2023-10-16","stream":true}',
      rawHeaders: ['anthropic-beta', 'b-1'],
      changes: [
        "request: in Vertex AI's form: model in the path, anthropic_version in the body, no anthropic-version header",
      ],
    });
  });

  it('has the betas of all headers in the body at Bedrock, but for one that says its own', () => {
    const headers = ['anthropic-beta', 'b-1, b-2', 'Anthropic-Beta', 'b-3'];
    expect(cross('aws-bedrock', '{"model":"a"}', headers)).toMatchObject({
      body: '{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["b-1","b-2","b-3"]}',
      rawHeaders: headers,
    });
    expect(cross('aws-bedrock', '{"model":"a","anthropic_beta":["own"]}', headers)).toMatchObject({
      body: '{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["own"]}',
    });
  });

  it.each([
    ['2023-06-01', 'bedrock-2023-05-31'],
    ['2023-01-01', 'bedrock-2023-05-31'],
    ['latest', 'bedrock-2023-05-31'],
    ['2026-10-21', '2026-10-21'],
  ])('is of the version its header names: %s is %s', (version, named) => {
    expect(cross('aws-bedrock', '{"model":"a"}', ['anthropic-version', version])).toMatchObject({
      ...{ body: `{"anthropic_version":"${named}"}`, rawHeaders: [] },
    });
  });

  it('has the profile of the user in the body at Bedrock, which reads no header for it', () => {
    const headers = ['Anthropic-User-Profile-Id', 'uprof_1'];
    const body = '{"anthropic_version":"bedrock-2023-05-31","user_profile_id":"uprof_1"}';
    expect(cross('aws-bedrock', '{"model":"a"}', headers)).toMatchObject({ body, rawHeaders: [] });
    expect(cross('google-vertex', '{"model":"a"}', headers)).toMatchObject({ rawHeaders: headers });
  });

  it.each([
    ['{"model":"a","model":"b"}', 'its body says the same member twice'],
    ['[{"model":"a"}]', 'its body is no JSON object'],
  ])('is not made of %s', (body, problem) => {
    expect(cross('aws-bedrock', body)).toBe(problem);
  });
});

function open(provider: string, status: number, headers: Readonly<Record<string, string>>): ReplyCrossing {
  const rawHeaders = Object.entries(headers).flat();
  const reply = find(provider).crossing?.openReply({ status, rawHeaders });
  if (reply == null || !('write' in reply)) throw new Error('the reply is the client’s as it is');
  return reply;
}

describe('a stream of Bedrock’s as Anthropic’s', () => {
  const openStream = () => open('aws-bedrock', 200, { 'content-type': 'application/vnd.amazon.eventstream' });
  const stop = { type: 'message_stop' };

  it('is a chunk an event, whatever its white space and its order', () => {
    const stream = openStream();
    const chunk = (text: string) => encodeEvent('chunk', { bytes: Buffer.from(text).toString('base64') });
    expect(stream.write(chunk('{"index":0,\r\n"type":"content_block_stop"}')).toString()).toBe(
      'event: content_block_stop\ndata: {"index":0, "type":"content_block_stop"}\n\n',
    );
    expect(stream.write(encodeChunk(stop)).toString()).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    expect([stream.end().length, stream.problem]).toEqual([0, null]);
  });

  it.each<readonly [string, JsonValue]>([
    ['without a type', { x: 1 }],
    ['whose type is no name', { type: 'a\ndata: b' }],
    ['of no object', [1]],
  ])('leaves out a document %s', (_what, document) => {
    const stream = openStream();
    const bytes = Buffer.concat([encodeChunk(document), encodeEvent('initial-response', {}), encodeChunk(stop)]);
    expect(stream.write(bytes).toString()).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n');
  });

  it('ends with what cannot be read', () => {
    const stream = openStream();
    const broken = encodeEvent('chunk', { bytes: Buffer.from('{"typ').toString('base64') });
    expect(stream.write(Buffer.concat([encodeChunk(stop), broken, encodeChunk(stop)])).toString()).toBe(
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    );
    expect(stream.problem).toBe('An event of the stream is no JSON.');
    expect(stream.write(encodeChunk(stop)).length).toBe(0);
  });

  it('holds no more than a message, and none that is too long', () => {
    const stream = openStream();
    const head = encodeChunk({ type: 'x', text: 'y'.repeat(13 * 1024 * 1024) });
    for (let at = 0; at < head.length; at += 1 << 20) stream.write(head.subarray(at, at + (1 << 20)));
    expect(stream.problem).toMatch(/larger than 16777216 bytes/);
  });

  it('has nothing after an exception, which has its name where it says nothing', () => {
    const stream = openStream();
    const said = stream
      .write(Buffer.concat([encodeException('modelTimeoutException', ''), encodeChunk(stop)]))
      .toString();
    const error = { type: 'error', error: { type: 'timeout_error', message: 'modelTimeoutException' } };
    expect(said).toBe(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
  });

  it.each(['constructor', '__proto__'])('has a type also for an exception that is named %s', (name) => {
    const said = openStream().write(encodeException(name, 'Hm.')).toString();
    const error = { type: 'error', error: { type: 'api_error', message: 'Hm.' } };
    expect(said).toBe(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
  });
});

describe('an error of a cloud as Anthropic’s', () => {
  const translate = (status: number, body: string, pieces = 3): string => {
    const error = open('google-vertex', status, { 'content-type': 'application/json' });
    const bytes = Buffer.from(body);
    const said: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += pieces) said.push(error.write(bytes.subarray(at, at + pieces)));
    return Buffer.concat([...said, error.end()]).toString();
  };
  const google = { error: { code: 429, message: 'Quota exceeded.', status: 'RESOURCE_EXHAUSTED' } };

  it.each([google, [google]])('is Google’s %j in its words', (document) => {
    expect(JSON.parse(translate(429, JSON.stringify(document)))).toEqual({
      ...{ type: 'error', error: { type: 'rate_limit_error', message: 'Quota exceeded.' } },
    });
  });

  it.each([
    '{"type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":"req_vrtx_1"}',
    '<html>',
    '{}',
    '',
    `"${'x'.repeat(100_000)}"`,
  ])('is what it was where it is Anthropic’s, or nobody’s: %.40s', (body) => {
    expect(translate(400, body, 1000)).toBe(body);
  });

  it.each([
    [401, 'authentication_error'],
    [408, 'timeout_error'],
    [409, 'invalid_request_error'],
    [500, 'api_error'],
    [529, 'overloaded_error'],
  ])('has the type of its status: %i is %s', (status, type) => {
    expect(JSON.parse(translate(status, '{"message":"m"}'))).toMatchObject({ error: { type } });
  });
});

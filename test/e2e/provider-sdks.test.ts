import OpenAI, { toFile } from 'openai';
import { ProxyAgent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { readContentType, readFixture } from '../contract/provider-fixtures.js';
import { openRig, type Rig } from '../fixtures/rig.js';

/** Real clients in front of a real host; what answers them, over TLS, is a fixture's bytes. */
let rig: Rig;
let agent: ProxyAgent;
let fetchThrough: typeof fetch;

beforeAll(async () => {
  rig = await openRig({ bodies: 'redacted' });
  agent = new ProxyAgent({ uri: `http://127.0.0.1:${rig.session.port}`, requestTls: { ca: rig.ca } });
  // Node's own fetch takes a dispatcher of npm undici, whose types differ from its own.
  const through: object = { dispatcher: agent };
  fetchThrough = (input, init) => fetch(input, { ...init, ...through });
});

afterAll(async () => {
  await agent.close();
  await rig.close();
});

beforeEach(() => {
  rig.upstream.seen.length = 0;
});

/** Answers every request from now on with a fixture, cut into small pieces where it is a stream. */
function serve(file: string | Buffer, contentType = readContentType(String(file))): void {
  const bytes = typeof file === 'string' ? readFixture(file) : file;
  rig.upstream.handler = (request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': contentType });
      for (let at = 0; at < bytes.length; at += 97) response.write(bytes.subarray(at, at + 97));
      response.end();
    });
  };
}

async function recordOf(call: () => Promise<unknown>): Promise<CallRecord> {
  const before = rig.records.length;
  await call();
  const records = await rig.waitForRecords(before + 1);
  const record = records[before];
  if (record === undefined) throw new Error('no record');
  return record;
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

describe('the official package openai', () => {
  const makeClient = () => new OpenAI({ apiKey: 'sk-canary', maxRetries: 0, fetch: fetchThrough });
  const picture = () => toFile(Buffer.alloc(200_000, 'model'), 'a.png', { type: 'image/png' });
  const sound = () => toFile(Buffer.alloc(200_000, 7), 'a.wav', { type: 'audio/wav' });

  it('edits a picture by a form, whose fields are read and whose file is not kept', async () => {
    serve('openai-images/edit.json');
    const record = await recordOf(async () =>
      makeClient().images.edit({ model: 'gpt-image-1', image: await picture(), prompt: 'Add a beach ball.' }),
    );
    expect(record).toMatchObject({
      provider: 'openai',
      api: 'images.edits',
      requestedModel: 'gpt-image-1',
      stream: false,
      usage: { inputTokens: 584, outputTokens: 1056 },
      usageDetails: { inputImageTokens: 564, outputImages: 1 },
      changes: [],
    });
    expect(record.requestBytes).toBeGreaterThan(200_000);
    expect(record.requestBody).toContain('[media image/png, not kept]');
    expect(record.requestBody).toContain('Add a beach ball.');
    expect(rig.upstream.seen[0]?.body.length).toBe(record.requestBytes);
  });

  it('streams a picture in the making', async () => {
    serve('openai-images/answer.sse');
    const record = await recordOf(async () =>
      drain(await makeClient().images.generate({ model: 'gpt-image-1', prompt: 'A cat.', stream: true })),
    );
    expect(record).toMatchObject({ api: 'images.generations', stream: true, usage: { outputTokens: 4160 } });
    expect(record.timeToFirstTokenMs).toBeGreaterThan(0);
  });

  it('hears a recording, streamed and not', async () => {
    serve('openai-audio/answer.json');
    const model = 'gpt-4o-transcribe';
    const whole = await recordOf(async () => makeClient().audio.transcriptions.create({ model, file: await sound() }));
    serve('openai-audio/answer.sse');
    const streamed = await recordOf(async () =>
      drain(await makeClient().audio.transcriptions.create({ model, file: await sound(), stream: true })),
    );
    for (const record of [whole, streamed])
      expect(record).toMatchObject({
        api: 'audio.transcriptions',
        requestedModel: model,
        usage: { inputTokens: 69, outputTokens: 45 },
        usageDetails: { inputAudioTokens: 65 },
      });
    expect([whole.stream, streamed.stream]).toEqual([false, true]);
  });

  it('speaks: the sound is passed on and neither read nor kept', async () => {
    const mp3 = Buffer.alloc(300_000, 0xfb);
    serve(mp3, 'audio/mpeg');
    let heard = 0;
    const record = await recordOf(async () => {
      const speech = await makeClient().audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello.' });
      heard = (await speech.arrayBuffer()).byteLength;
    });
    expect(heard).toBe(mp3.length);
    expect(record).toMatchObject({
      api: 'audio.speech',
      requestedModel: 'tts-1',
      outcome: 'ok',
      partial: false,
      responseBody: '[media audio/mpeg, not kept]',
      usage: { inputTokens: null, outputTokens: null },
      usageProblem: 'The reply is no text (content type audio/mpeg), and states no usage.',
    });
  });

  it('moderates', async () => {
    serve('openai-moderations/answer.json');
    const record = await recordOf(() => makeClient().moderations.create({ input: 'I want …' }));
    expect(record).toMatchObject({ api: 'moderations', model: 'omni-moderation-latest', outcome: 'ok' });
  });
});

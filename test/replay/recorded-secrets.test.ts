import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { answerWith } from '../cache/cache-rig.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { json, openReplayRig } from './replay-rig.js';

const key = `sk-proj-${'Ab3'.repeat(16)}`;

it('a key in the path or in the name of a parameter stands in no recording, no fault and no refusal', async () => {
  const rig = await openReplayRig();
  rig.upstream.handler = answerWith(chatReply);
  const path = `/v1/${key}/files?${key}=1`;
  await rig.record((session) => rig.call(session, { method: 'GET', path, body: '' }));
  expect(rig.readCassette().split('\n')).toHaveLength(3);
  expect(rig.readCassette()).not.toContain('Ab3Ab3Ab3');
  const session = await rig.replay();
  await rig.call(session, { method: 'GET', path, body: '' });
  const refused = await rig.call(session, { method: 'GET', path, body: '' });
  expect(refused.status).toBe(412);
  expect(refused.body.toString()).not.toContain('Ab3Ab3Ab3');
  expect(JSON.stringify(await rig.waitForFaults(1))).not.toContain('Ab3Ab3Ab3');
});

it('a key in the trailers of a reply stands in no recording', async () => {
  const rig = await openReplayRig();
  rig.upstream.handler = (request, response) => {
    request
      .on('end', () => {
        response.writeHead(200, { ...json, trailer: 'grpc-message, x-should-retry', 'x-should-retry': key });
        response.addTrailers({ 'grpc-status': '16', 'grpc-message': `no such key ${key}` });
        response.end(chatReply);
      })
      .resume();
  };
  await rig.record((session) => rig.call(session));
  expect(rig.readCassette()).not.toContain('Ab3Ab3Ab3');
  expect(rig.readCassette()).toContain('"grpc-status","16"');
});

it('a key as the name of a member stands in no recording', async () => {
  const rig = await openReplayRig();
  rig.upstream.handler = answerWith(chatReply);
  const body = chatRequest.replace('{', `{"metadata":{"${key}":"1"},`);
  await rig.record((session) => rig.call(session, { body }));
  expect(rig.readCassette()).not.toContain('Ab3Ab3Ab3');
});

it('sound is recorded as it came, but where a key stands in it', async () => {
  const rig = await openReplayRig();
  const sound = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 37) % 256));
  rig.upstream.handler = answerWith(sound, { 'content-type': 'audio/mpeg' });
  const asked = { path: '/v1/audio/speech', body: '{"model":"tts-1","input":"Hi","voice":"alloy"}' };
  await rig.record((session) => rig.call(session, asked));
  expect((await rig.call(await rig.replay(), asked)).body.equals(sound)).toBe(true);
  rig.upstream.handler = answerWith(Buffer.concat([sound, Buffer.from(key)]), { 'content-type': 'audio/mpeg' });
  const other = `${rig.path}.other`;
  await rig.record((session) => rig.call(session, asked), { path: other });
  expect(readFileSync(other, 'utf8').trim().split('\n')).toHaveLength(1);
  expect(rig.faults.map(({ code }) => code)).toEqual(['CASSETTE_INCOMPLETE']);
});

import { expect, it } from 'vitest';
import { chatReply } from '../fixtures/replies.js';
import { json, openReplayRig } from './replay-rig.js';

const router = { name: 'fallback', options: { candidates: ['first', 'second'] } };

it.each(['500', '429', 'cut'])('a try that ended in %s is followed by the next when it is played, too', async (how) => {
  const rig = await openReplayRig();
  rig.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (Buffer.concat(chunks).includes('"second"')) response.writeHead(200, json).end(chatReply);
      else if (how === 'cut') response.destroy();
      else response.writeHead(Number(how), json).end('{"error":{"message":"busy"}}');
    });
  };
  const use = { cassette: { mode: 'record' as const, path: rig.path }, router };
  const recording = await rig.openSession(use);
  expect((await rig.call(recording)).body.toString()).toBe(chatReply);
  await recording.close({ drain: true });
  const seen = rig.upstream.seen.length;
  const playing = await rig.openSession({ ...use, cassette: { mode: 'replay', path: rig.path } });
  const reply = await rig.call(playing);
  expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
  expect(rig.upstream.seen).toHaveLength(seen);
  expect((await rig.waitForRecords(4)).map(({ cached }) => cached)).toEqual([false, false, true, true]);
  // What is in no recording is refused once, and not tried with the next model.
  expect((await rig.call(playing)).status).toBe(412);
});

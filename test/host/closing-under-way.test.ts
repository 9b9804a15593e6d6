import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openCacheRig } from '../cache/cache-rig.js';
import { readReply, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { json, openReplayRig } from '../replay/replay-rig.js';

describe('a session that is closed with calls under way', () => {
  it('has each on record once, in a recording that is whole, however often it is closed', async () => {
    const rig = await openReplayRig();
    let arrived = 0;
    let tell = (): void => undefined;
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        arrived += 1;
        if (arrived % 2 === 0) response.writeHead(200, json).write(chatReply.slice(0, 20));
        tell();
      });
    };
    const session = await rig.openSession({
      cassette: { mode: 'record', path: rig.path },
      budget: { maxCalls: 100 },
    });
    const whenAll = new Promise<void>((resolve) => {
      tell = () => arrived === 10 && resolve();
    });
    for (let n = 0; n < 10; n++) {
      const request = await startRequest({ port: session.port, ca: rig.ca, headers: json });
      request.on('error', () => undefined).end(chatRequest.replace('"Hi"', `"Hi ${n}"`));
      await once(request, 'finish');
    }
    await whenAll;
    await Promise.all([session.close({ drain: true }), session.close(), session.close()]);
    const records = await rig.waitForRecords(10);
    expect(new Set(records.map(({ callId }) => callId)).size).toBe(10);
    expect(records).toHaveLength(10);
    expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(['client_aborted']));
    const lines = rig
      .readCassette()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(11);
  });

  it('leaves the reply of its call to who shares it in another session', async () => {
    const rig = await openCacheRig();
    const other = await rig.openSession({ cache: { mode: 'on' } });
    let finish = (): void => undefined;
    const whenBegun = new Promise<void>((resolve) => {
      rig.upstream.handler = (request, response) => {
        request.resume().on('end', () => {
          response.writeHead(200, json).write(chatReply.slice(0, 20));
          finish = () => void response.end(chatReply.slice(20));
          resolve();
        });
      };
    });
    const begin = async (port: number) => {
      const request = await startRequest({ port, ca: rig.ca, headers: json });
      request.on('error', () => undefined).end(chatRequest);
      return request;
    };
    await begin(rig.session.port);
    await whenBegun;
    const follower = await waitForResponse(await begin(other.port));
    await rig.session.close();
    finish();
    expect((await readReply(follower)).body.toString()).toBe(chatReply);
    await other.close({ drain: true });
    expect((await rig.waitForRecords(2)).map(({ outcome, cached }) => [outcome, cached])).toEqual([
      ['client_aborted', false],
      ['ok', true],
    ]);
    expect(rig.upstream.seen).toHaveLength(1);
  });
});

import { once } from 'node:events';
import { expect, it } from 'vitest';
import { readReply, startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { chatFrames, chatStreamRequest } from '../fixtures/replies.js';
import { json, openCacheRig } from './cache-rig.js';

it('a request whose client has left, and which its provider refuses as it was changed, is not sent again for nobody', async () => {
  const rig = await openCacheRig();
  const asked: string[] = [];
  let refuseFirst = (): void => undefined;
  const whenFirst = new Promise<void>((resolve) => {
    rig.upstream.handler = (request, response) => {
      const chunks: Buffer[] = [];
      const refuse = (): void =>
        void response.writeHead(400, json).end('{"error":{"message":"Unknown parameter: \'stream_options\'."}}');
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method === 'GET') return response.end();
        const isChanged = Buffer.concat(chunks).includes('include_usage');
        asked.push(isChanged ? 'changed' : 'as it was');
        if (asked.length > 1 && isChanged) return refuse();
        if (!isChanged)
          return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames.join(''));
        refuseFirst = refuse;
        resolve();
      });
    };
  });
  const begin = async () => {
    const request = await startRequest({ port: rig.session.port, ca: rig.ca, headers: json });
    request.on('error', () => undefined).end(chatStreamRequest);
    await once(request, 'finish');
    return request;
  };
  const first = await begin();
  await whenFirst;
  const reply = waitForResponse(await begin());
  await rig.call({ method: 'GET', path: '/v1/models', body: '' });
  first.destroy();
  await rig.waitForRecords(1);
  refuseFirst();
  expect((await readReply(await reply)).body.toString()).toBe(chatFrames.join(''));
  await rig.waitForRecords(2);
  await rig.host.close();
  expect(asked).toEqual(['changed', 'changed', 'as it was']);
});

// Issue 4: a stream that Codex left once it had `response.completed` was on record as aborted, and counted as an error.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { openHttp2 } from '../fixtures/http2-client.js';
import { openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { startRequest, waitForResponse } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const request = '{"model":"gpt-5","stream":true,"input":"Hi"}';
const events = readFileSync(new URL('../fixtures/wire/openai-responses/answer.sse', import.meta.url), 'utf8');
const eventStream = { 'content-type': 'text/event-stream' };
const path = '/v1/responses';

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** Reads until the text has come, and not to the end. */
async function readUntil(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let read = '';
  await new Promise<void>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      read += chunk.toString();
      if (read.endsWith(text)) resolve();
    });
  });
}

describe('a client that leaves a stream which has said its end, though its provider has not closed it', () => {
  it('has its call on record as whole over HTTP/2', async () => {
    const provider = await openHttp2Upstream();
    try {
      provider.handler = (stream) => {
        stream.respond({ ':status': 200, ...eventStream });
        stream.write(events);
      };
      rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
      const client = await openHttp2({ port: rig.session.port, ca: rig.ca });
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
      stream.on('error', () => undefined).end(request);
      await readUntil(stream, events.slice(-40));
      stream.close(8);
      expect(await rig.waitForRecords(1)).toMatchObject([
        { outcome: 'ok', error: null, partial: false, protocol: 'h2', finishReasons: ['completed'] },
      ]);
      client.destroy();
    } finally {
      await provider.close();
    }
  });

  it('has its call on record as whole over HTTP/1.1', async () => {
    expect(await leaveAfter(events, events.slice(-40))).toMatchObject({ outcome: 'ok', error: null, partial: false });
  });

  it('has left too early when the end was not yet said', async () => {
    const cut = events.slice(0, events.lastIndexOf('event: '));
    const record = await leaveAfter(cut, cut.slice(-40));
    expect(record).toMatchObject({ outcome: 'client_aborted', error: { code: 'CLIENT_ABORTED' }, partial: true });
  });
});

async function leaveAfter(sent: string, end: string) {
  rig = await openRig();
  rig.upstream.handler = (_request, response) => {
    response.writeHead(200, eventStream);
    response.write(sent);
  };
  const going = await startRequest({ port: rig.session.port, ca: rig.ca, path });
  going.on('error', () => undefined).end(request);
  const response = await waitForResponse(going);
  await readUntil(
    response.on('error', () => undefined),
    end,
  );
  going.destroy();
  const [record] = await rig.waitForRecords(1);
  return record;
}

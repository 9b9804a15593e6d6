/** Real clients of HTTP/2 and gRPC through a session, with real servers of both behind it. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram } from '../activation/tunnel-lab.js';
import { openGrpcLab } from '../fixtures/grpc/lab.js';
import { type Http2TestUpstream, openHttp2Upstream } from '../fixtures/http2-upstream.js';
import { chatFrames, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const run = promisify(execFile);
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(!hasProgram('curl'))('curl', () => {
  async function openCurl(): Promise<{
    rig: Rig;
    provider: Http2TestUpstream;
    curl: (...args: string[]) => Promise<string>;
  }> {
    const provider = await openHttp2Upstream();
    closing.push(() => provider.close());
    const rig = await openRig({ connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath });
    closing.push(() => rig.close());
    const head = ['-sS', '--max-time', '20', '--cacert', rig.host.caPath, '-H', 'content-type: application/json'];
    const through = ['-x', `http://127.0.0.1:${rig.session.port}`, '-w', '\n%{http_version} %{http_code}'];
    return {
      rig,
      provider,
      curl: async (...args) => (await run('curl', [...head, ...through, ...args], { encoding: 'utf8' })).stdout,
    };
  }

  it('is served over HTTP/2, which it prefers, a stream and not', async () => {
    const { rig, provider, curl } = await openCurl();
    provider.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(chatReply);
    };
    const url = 'https://api.openai.com/v1/chat/completions';
    expect(await curl('-d', chatRequest, url)).toBe(`${chatReply}\n2 200`);
    provider.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      for (const frame of chatFrames) stream.write(frame);
      stream.end();
    };
    expect(await curl('-N', '-d', chatStreamRequest, url)).toBe(`${chatFrames.join('')}\n2 200`);
    expect(await rig.waitForRecords(2)).toMatchObject([
      { protocol: 'h2', outcome: 'ok', usage: { inputTokens: 10, outputTokens: 5 } },
      { protocol: 'h2', outcome: 'ok', stream: true },
    ]);
  });

  it('uploads a large body whole', async () => {
    const { rig, provider, curl } = await openCurl();
    const file = join(rig.home, 'large.bin');
    const size = 30 * 1024 * 1024;
    writeFileSync(file, Buffer.alloc(size, 'x'));
    provider.handler = (stream) => {
      let received = 0;
      stream.on('data', (bytes: Buffer) => (received += bytes.length));
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end(String(received));
      });
    };
    const url = 'https://api.openai.com/v1/embeddings';
    expect(await curl('--data-binary', `@${file}`, url)).toBe(`${size}\n2 200`);
    expect(await rig.waitForRecords(1)).toMatchObject([{ requestBytes: size }]);
  });
});

describe('grpc-js', () => {
  const host = 'api.x.ai';
  const pass = (bytes: Buffer): Buffer => bytes;
  const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
    [name]: {
      ...{ path: `/xai_api.Chat/${name}`, requestStream, responseStream, originalName: name },
      ...{ requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass },
    },
  });
  const service: grpc.ServiceDefinition = {
    ...method('GetCompletion', false, false),
    ...method('GetCompletionChunk', false, true),
    ...method('Converse', true, true),
  };

  async function openGrpc(handlers: grpc.UntypedServiceImplementation): Promise<{ rig: Rig; client: grpc.Client }> {
    const lab = await openGrpcLab(host, service, handlers);
    closing.push(() => lab.close());
    const client = lab.throughSession(() => new grpc.Client(`${host}:443`, lab.credentials));
    closing.push(() => client.close());
    return { rig: lab.rig, client };
  }

  const unary = (client: grpc.Client, name: string, message: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(`/xai_api.Chat/${name}`, pass, pass, message, (error, reply) =>
        error === null ? resolve(reply ?? Buffer.alloc(0)) : reject(error),
      );
    });

  it('asks once, and hears the status of its trailers', async () => {
    const { client, rig } = await openGrpc({
      GetCompletion: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
        call.request.toString() === 'fail'
          ? done({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'slow down' })
          : done(null, Buffer.concat([Buffer.from('echo '), call.request])),
    });
    expect((await unary(client, 'GetCompletion', Buffer.from('hello'))).toString()).toBe('echo hello');
    await expect(unary(client, 'GetCompletion', Buffer.from('fail'))).rejects.toMatchObject({
      code: grpc.status.RESOURCE_EXHAUSTED,
      details: 'slow down',
    });
    await expect(unary(client, 'Unknown', Buffer.from('x'))).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
    const common = { provider: 'x-ai', api: 'grpc', protocol: 'h2', status: 200, outcome: 'ok', stream: false };
    const unknown = { inputTokens: null, outputTokens: null };
    expect(await rig.waitForRecords(2)).toMatchObject([
      // A message has five bytes in front of it.
      { ...common, requestBytes: 5 + 5, responseBytes: 5 + 10, error: null, usage: unknown },
      { ...common, error: { code: 'RESOURCE_EXHAUSTED', message: 'slow down' }, usage: unknown },
    ]);
    expect(JSON.stringify(rig.records)).not.toContain('hello');
    // A method of no model's passes, counted.
    expect(rig.session.counts()).toMatchObject({ calls: 2, passedRequests: 1 });
  });

  it('hears a stream as it comes, and cancels it at the server', async () => {
    let cancelled = (): void => undefined;
    const heard = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const { client, rig } = await openGrpc({
      GetCompletionChunk: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        call.write(Buffer.from('first'));
        call.on('cancelled', cancelled);
      },
    });
    const call = client.makeServerStreamRequest('/xai_api.Chat/GetCompletionChunk', pass, pass, Buffer.from('go'));
    const failed = new Promise<{ code: number }>((resolve) => call.once('error', resolve as never));
    const [first] = await new Promise<[Buffer]>((resolve) => call.once('data', (bytes: Buffer) => resolve([bytes])));
    expect(first.toString()).toBe('first');
    call.cancel();
    expect((await failed).code).toBe(grpc.status.CANCELLED);
    await heard;
    expect(await rig.waitForRecords(1)).toMatchObject([
      { api: 'grpc', stream: true, outcome: 'client_aborted', error: { code: 'CLIENT_ABORTED' } },
    ]);
  });

  it('talks both ways at once', async () => {
    const { client } = await openGrpc({
      Converse: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (bytes: Buffer) => call.write(Buffer.concat([Buffer.from('re: '), bytes])));
        call.on('end', () => call.end());
      },
    });
    const call = client.makeBidiStreamRequest('/xai_api.Chat/Converse', pass, pass);
    const heard: string[] = [];
    const status = new Promise<grpc.StatusObject>((resolve) => call.once('status', resolve));
    for (const said of ['one', 'two', 'three']) {
      const answered = new Promise<Buffer>((resolve) => call.once('data', resolve));
      call.write(Buffer.from(said));
      // Each is answered before the next is said: nothing is held back.
      heard.push((await answered).toString());
    }
    call.end();
    call.resume();
    expect((await status).code).toBe(grpc.status.OK);
    expect(heard).toEqual(['re: one', 're: two', 're: three']);
  });
});

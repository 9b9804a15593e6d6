import net from 'node:net';
import tls from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readClientHello } from '../../src/proxy/client-hello.js';

/** The bytes a real client sends first. */
async function captureHello(options: tls.ConnectionOptions): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      let bytes = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.length < 5 + bytes.readUInt16BE(3)) return;
        socket.destroy();
        server.close();
        resolve(bytes);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      tls.connect({ host: '127.0.0.1', port, ...options }).on('error', () => undefined);
    });
    server.on('error', reject);
  });
}

/** The same message in records of `size` bytes. */
function splitRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let i = 0; i < message.length; i += size) {
    const part = message.subarray(i, i + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

let hello: Buffer;
beforeAll(async () => {
  hello = await captureHello({ servername: 'API.openai.com', ALPNProtocols: ['h2', 'http/1.1'] });
});
const expected = { kind: 'hello', hello: { serverName: 'api.openai.com', alpn: ['h2', 'http/1.1'] } };

describe('a ClientHello', () => {
  it('tells the server name and the protocols offered', () => {
    expect(readClientHello(hello)).toEqual(expected);
  });

  it('without the two says null', async () => {
    const bare = await captureHello({});
    expect(readClientHello(bare)).toEqual({ kind: 'hello', hello: { serverName: null, alpn: null } });
  });

  it('is incomplete at every cut before its end', () => {
    for (let i = 0; i < hello.length; i += 1) expect(readClientHello(hello.subarray(0, i)).kind).toBe('incomplete');
  });

  it.each([1, 3, 64, 200])('is read out of records of %i bytes', (size) => {
    const split = splitRecords(hello, size);
    expect(readClientHello(split)).toEqual(expected);
    expect(readClientHello(split.subarray(0, -1)).kind).toBe('incomplete');
  });

  it('is read when early data follows it', () => {
    const early = Buffer.from([23, 3, 3, 0, 1, 0]);
    expect(readClientHello(Buffer.concat([hello, early]))).toEqual(expected);
  });

  it('broken off by another kind of record says nothing, and is not waited for', () => {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
    const half = splitRecords(hello, 100).subarray(0, 105);
    expect(readClientHello(Buffer.concat([half, alert]))).toEqual({
      kind: 'hello',
      hello: { serverName: null, alpn: null },
    });
  });

  it('that claims 16 MB is not waited for beyond 64 KB', () => {
    const huge = Buffer.alloc(70_000);
    Buffer.from([22, 3, 1, 255, 255, 1, 255, 255, 255]).copy(huge);
    expect(readClientHello(huge.subarray(0, 1000)).kind).toBe('incomplete');
    expect(readClientHello(huge).kind).toBe('hello');
  });
});

describe('bytes of any kind', () => {
  it('that are no TLS say so at the first', () => {
    expect(readClientHello(Buffer.from('G')).kind).toBe('not-tls');
    expect(readClientHello(Buffer.alloc(0)).kind).toBe('incomplete');
  });

  it('never throw, nor do hellos with bytes changed or lengths that lie', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readClientHello(Buffer.from(bytes))));
    const record = fc
      .uint8Array({ maxLength: 300 })
      .map((bytes) => Buffer.concat([Buffer.from([22, 3, 1, 0, bytes.length, 1, 0, 0]), Buffer.from(bytes)]));
    fc.assert(fc.property(record, (bytes) => void readClientHello(bytes)));
    const change = fc.tuple(fc.nat({ max: hello.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        const changed = Buffer.from(hello);
        for (const [at, value] of changes) changed[at] = value;
        readClientHello(changed);
      }),
    );
  });

  it('are read in linear time, also as thousands of one-byte records', () => {
    const tiny = splitRecords(Buffer.concat([Buffer.alloc(5), Buffer.from([1, 0, 255, 255]), Buffer.alloc(10_000)]), 1);
    const startMs = performance.now();
    for (let i = 0; i < 20; i += 1) readClientHello(tiny);
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});

import { once } from 'node:events';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encoderMakers } from '../../../src/providers/wire/coding-stage.js';
import { openDecoder } from '../../../src/providers/wire/content-decoding.js';
import { decode, makeNoise, singleBytes, text, zstdSample } from './decoded.js';

const encodings: readonly (readonly [string, Buffer])[] = [
  ['gzip', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  [' GZIP ', gzipSync(text)],
  ['br', brotliCompressSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['deflate, gzip', gzipSync(deflateRawSync(text))],
  ['gzip, identity, br', brotliCompressSync(gzipSync(text))],
  ['gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(text))))],
];

describe('openDecoder', () => {
  it('passes bytes without a coding straight through', () => {
    for (const coding of [null, '', 'identity', 'Identity, identity']) {
      const seen: string[] = [];
      const decoder = openDecoder(coding, (bytes) => seen.push(bytes.toString()));
      decoder.write(Buffer.from('a'));
      expect(seen).toEqual(['a']);
      expect(decoder.end()).toBeUndefined();
      expect(decoder.problem).toBeNull();
    }
  });

  it.each(encodings)('decodes %s, whole or in any pieces', async (coding, encoded) => {
    for (const options of [{}, { whole: true }]) {
      for (const parts of [[encoded], singleBytes(encoded), [encoded.subarray(0, 1), encoded.subarray(1)]]) {
        expect(await decode(coding, parts, options)).toEqual({ bytes: text, problem: null });
      }
    }
  });

  it('decodes a small whole body synchronously', () => {
    for (const [coding, encoded] of encodings) {
      const seen: Buffer[] = [];
      const decoder = openDecoder(coding, (bytes) => seen.push(bytes), { whole: true });
      decoder.write(encoded);
      expect(decoder.end()).toBeUndefined();
      expect(Buffer.concat(seen)).toEqual(text);
    }
  });

  it('turns to streaming when a whole body is large, encoded or decoded', async () => {
    const noise = makeNoise(900_000);
    expect(await decode('gzip', [gzipSync(noise)], { whole: true })).toEqual({ bytes: noise, problem: null });
    const large = Buffer.alloc(20_000_000, 'abc');
    const decoded = await decode(
      'br',
      [brotliCompressSync(large, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
      {
        whole: true,
      },
    );
    expect(decoded.bytes.equals(large)).toBe(true);
  });

  it('gives out each flushed block without waiting for the next', async () => {
    for (const [coding, encoder, flush] of [
      ['gzip', createGzip(), constants.Z_SYNC_FLUSH],
      ['br', createBrotliCompress(), constants.BROTLI_OPERATION_FLUSH],
    ] as const) {
      let seen = '';
      let wanted = '';
      let arrived: () => void = () => undefined;
      const decoder = openDecoder(coding, (bytes) => {
        seen += bytes.toString();
        if (seen === wanted) arrived();
      });
      encoder.on('data', (encoded: Buffer) => decoder.write(encoded));
      for (const frame of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        wanted += frame;
        const whole = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        encoder.write(frame);
        encoder.flush(flush);
        await whole;
      }
      decoder.close();
      encoder.destroy();
    }
  });

  it('stops a gzip bomb by its ratio, with little memory', async () => {
    const bomb = await makeBomb(1024 * 1024 * 1024);
    const before = process.memoryUsage().rss;
    let peak = before;
    let given = 0;
    const decoder = openDecoder('gzip', (bytes) => {
      given += bytes.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    for (let at = 0; at < bomb.length; at += 65_536) decoder.write(bomb.subarray(at, at + 65_536));
    await decoder.end();
    expect(decoder.problem).toMatch(
      /^The body decodes to more than 100 times its size \(\d+ bytes of \d+\); the rest was not read\.$/,
    );
    expect(given).toBeLessThan(80 * 1024 * 1024);
    expect(peak - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('stops at the bound of decoded bytes exactly, in lists and whole bodies too', async () => {
    for (const [coding, encoded] of encodings) {
      for (const whole of [false, true]) {
        const decoded = await decode(coding, [encoded], { maxDecodedBytes: 1000, whole });
        expect(decoded.problem).toContain('bytes; the rest was not read.');
        if (!coding.includes(',')) expect(decoded.bytes).toEqual(text.subarray(0, 1000));
      }
    }
  });

  it('gives out what a body that was cut decodes to, and says so', async () => {
    const noise = makeNoise(50_000);
    for (const [coding, encoded] of [
      ['gzip', gzipSync(noise)],
      ['br', brotliCompressSync(noise)],
      ['deflate', deflateSync(noise)],
      ['deflate', deflateRawSync(noise)],
    ] as const) {
      for (const whole of [false, true]) {
        const half = encoded.subarray(0, encoded.length / 2);
        const decoded = await decode(coding, [half], { whole });
        expect(decoded.problem, coding).toBe('The encoded body ends in the middle.');
        expect(decoded.bytes.length).toBeGreaterThan(15_000);
        expect(noise.subarray(0, decoded.bytes.length).equals(decoded.bytes)).toBe(true);
      }
    }
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, br'])(
    'gives out every block of %s when its foot never comes',
    async (coding) => {
      for (const times of [1, 3000]) {
        const events = ['data: {}\n\n', `data: ${'{"type":"response.completed"}'.repeat(times)}\n\n`];
        const encoders = coding.split(', ').flatMap((name) => encoderMakers.get(name)?.(0) ?? []);
        const blocks: Buffer[] = [];
        for (const event of events) {
          let block = Buffer.from(event);
          for (const encoder of encoders) {
            await new Promise<void>((resolve) => encoder.write(block, () => resolve()));
            block = encoder.read();
          }
          blocks.push(block);
        }
        // The last comes while the first is being worked on, and the end with it.
        const decoded = await decode(coding, blocks);
        expect(decoded.bytes.toString()).toBe(events.join(''));
        expect(decoded.problem).toBe('The encoded body ends in the middle.');
        for (const encoder of encoders) encoder.destroy();
      }
    },
  );

  it('survives a body cut at any byte', async () => {
    const frame = Buffer.from('data: {"a":1}\n\ndata: [DONE]\n\n');
    for (const encoded of [gzipSync(frame), brotliCompressSync(frame), deflateSync(frame)]) {
      const coding = encoded[0] === 0x1f ? 'gzip' : encoded[0] === 0x78 ? 'deflate' : 'br';
      for (let cut = 1; cut < encoded.length; cut++) {
        const decoded = await decode(coding, [encoded.subarray(0, cut)]);
        expect(decoded.problem).toBe('The encoded body ends in the middle.');
        expect(frame.subarray(0, decoded.bytes.length).equals(decoded.bytes)).toBe(true);
      }
    }
  });

  it('says what is wrong with bytes that are not of the coding', async () => {
    const plain = Buffer.from('{"error":"plain text sent as if it were encoded"}'.repeat(10));
    for (const coding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, br']) {
      for (const whole of [false, true]) {
        const decoded = await decode(coding, [plain, plain], { whole });
        expect(decoded.problem, coding).toMatch(/^The encoded body /);
      }
    }
  });

  it('gives out nothing of an unknown coding or too long a list', async () => {
    expect(await decode('compress', [text])).toEqual({
      bytes: Buffer.alloc(0),
      problem: 'The body\'s content encoding "compress" is not known.',
    });
    const decoded = await decode('gzip,gzip,gzip,gzip,gzip', [text]);
    expect(decoded.problem).toBe('The body is encoded 5 times over; at most 4 are read.');
  });

  it('takes an empty body for an empty body', async () => {
    for (const coding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, br']) {
      for (const whole of [false, true]) {
        expect(await decode(coding, [], { whole })).toEqual({ bytes: Buffer.alloc(0), problem: null });
        expect(await decode(coding, [Buffer.alloc(0)], { whole })).toEqual({ bytes: Buffer.alloc(0), problem: null });
      }
    }
  });

  it('reads gzip members one after the other and ignores what follows them', async () => {
    const parts = [gzipSync('a'), gzipSync('b'), Buffer.alloc(600)];
    expect((await decode('gzip', [Buffer.concat(parts)])).bytes.toString()).toBe('ab');
    expect((await decode('gzip', parts)).bytes.toString()).toBe('ab');
  });

  it('gives up when more waits than may', () => {
    const noise = Buffer.alloc(9 * 1024 * 1024, 1);
    const decoder = openDecoder('gzip', () => undefined);
    decoder.write(gzipSync('x'));
    decoder.write(noise);
    decoder.write(noise);
    expect(decoder.problem).toMatch(/came faster than it could be decoded/);
    decoder.close();
  });

  it('gives out nothing after close, which ends a waiting end too', async () => {
    let given = 0;
    const decoder = openDecoder('gzip', (bytes) => {
      given += bytes.length;
    });
    decoder.write(gzipSync(Buffer.alloc(10_000_000, 'x')));
    const ended = decoder.end();
    decoder.close();
    decoder.close();
    await ended;
    decoder.write(Buffer.from('x'));
    const soFar = given;
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBe(soFar);
  });

  it('holds a reader that throws away from the stream', async () => {
    for (const coding of [null, 'gzip', 'zstd']) {
      for (const whole of [false, true]) {
        const decoder = openDecoder(
          coding,
          () => {
            throw new Error('reader broke');
          },
          { whole },
        );
        decoder.write(coding === 'zstd' ? zstdSample : coding === null ? text : gzipSync(text));
        await decoder.end();
        expect(decoder.problem).toBe('The reader of the body failed: reader broke.');
      }
    }
  });
});

async function makeBomb(bytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: 1 });
  const out: Buffer[] = [];
  gzip.on('data', (part: Buffer) => out.push(part));
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  for (let made = 0; made < bytes; made += zeros.length) {
    if (!gzip.write(zeros)) await once(gzip, 'drain');
  }
  gzip.end();
  await once(gzip, 'end');
  return Buffer.concat(out);
}

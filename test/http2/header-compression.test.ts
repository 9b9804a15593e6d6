import v8 from 'node:v8';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionFault, errorCodes } from '../../src/http2/codes.js';
import { HeaderDecoder } from '../../src/http2/header-decoder.js';
import { HeaderEncoder } from '../../src/http2/header-encoder.js';
import { measureHuffman, readHuffman, writeHuffman } from '../../src/http2/huffman.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

function readHeapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const openDecoder = (): HeaderDecoder => new HeaderDecoder(64 * 1024);

const request = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const requests = [
  request,
  [...request, 'cache-control', 'no-cache'],
  [
    ...[':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com'],
    ...['custom-key', 'custom-value'],
  ],
];
const places = ['location', 'https://www.example.com'];
const privately = ['cache-control', 'private'];
const replies = [
  [':status', '302', ...privately, 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', ...places],
  [':status', '307', ...privately, 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', ...places],
  [
    ...[':status', '200', ...privately, 'date', 'Mon, 21 Oct 2013 20:13:22 GMT', ...places, 'content-encoding', 'gzip'],
    ...['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];
/** A table of 256 bytes, as the examples of replies have it. */
const smallTable = '3fe101';

// Source: RFC 7541 appendix C (read 2026-11-28).
describe('the header blocks of RFC 7541', () => {
  it.each([
    [
      'C.3, requests in plain text',
      requests,
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
    ],
    [
      'C.4, requests in the Huffman code',
      requests,
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
    ],
    [
      'C.5, replies that push others out of the table',
      replies,
      [
        `${smallTable}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
        '4803333037c1c0bf',
        '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
      ],
    ],
    [
      'C.6, the same in the Huffman code',
      replies,
      [
        `${smallTable}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
        '4883640effc1c0bf',
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
    ],
  ])('%s, are read as it says', (_what, expected, blocks) => {
    const decoder = openDecoder();
    expect(blocks.map((block) => decoder.decode(hex(block)).raw)).toEqual(expected);
  });

  it('C.4 are written as it says, but for the path, which is not kept', () => {
    const encoder = new HeaderEncoder();
    expect(encoder.encode(request).toString('hex')).toBe('828684418cf1e3c2e5f23a6ba0ab90f4ff');
    expect(encoder.encode([...request, 'cache-control', 'no-cache']).toString('hex')).toBe('828684be5886a8eb10649cbf');
  });
});

describe('the Huffman code', () => {
  it('takes every octet there and back', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_none, i) => i)).toString('latin1');
    const bytes = Buffer.alloc(measureHuffman(all));
    expect(writeHuffman(all, bytes, 0)).toBe(bytes.length);
    expect(readHuffman(bytes, 0, bytes.length)).toBe(all);
  });

  it.each([
    ['the end of a string in it', 'fffffffc'],
    ['more than seven bits behind it', '1fff'],
    ['zeros behind it', '18'],
  ])('is none with %s', (_what, bytes) => {
    expect(readHuffman(hex(bytes), 0, hex(bytes).length)).toBeUndefined();
  });
});

describe('what is no header block', () => {
  it.each([
    ['names the header 0', '80'],
    ['names a header beyond the table', 'be'],
    ['takes a name from beyond the table', '7f0001 61'],
    ['makes the table larger than was allowed', '3fe2ff03'],
    ['makes the table another size within the block', '82 20'],
    ['has a number without an end', 'ff ff'],
    ['has a number that is too large', 'ff ffffffffff7f'],
    ['has a text longer than itself', '400a 6375'],
    ['has a text that is not in its code', '4084 fffffffc 00'],
  ])('%s', (_what, block) => {
    const read = (): unknown => openDecoder().decode(hex(block));
    expect(read).toThrow(ConnectionFault);
    expect(read).toThrow(expect.objectContaining({ code: errorCodes.compressionError }));
  });

  it('makes the table one byte larger than was allowed, where just as large is', () => {
    expect(openDecoder().decode(hex('3fe11f')).raw).toEqual([]);
    expect(() => openDecoder().decode(hex('3fe21f'))).toThrow(ConnectionFault);
  });

  it('is told so whatever it is, and never otherwise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = openDecoder();
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block));
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionFault);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('headers', () => {
  const name = fc.oneof(
    fc.constantFrom('content-type', ':status', 'x-request-id', 'authorization', 'set-cookie', 'etag'),
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  );
  const value = fc.stringMatching(/^([!-~\u00a0-\u00ff]([ !-~\u00a0-\u00ff]{0,300}[!-~\u00a0-\u00ff])?)?$/);
  const list = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((pairs) => pairs.flat());

  it('are read as they were written, block after block, whatever size the table is made', () => {
    const step = fc.record({ raw: list, size: fc.option(fc.constantFrom(0, 64, 200, 1000, 4096, 100_000)) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HeaderEncoder();
        const decoder = openDecoder();
        for (const { raw, size } of steps) {
          if (size !== null) encoder.resize(size);
          expect(decoder.decode(Buffer.from(encoder.encode(raw))).raw).toEqual(raw);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('that hold a key are in no table, and every hop is told so', () => {
    const encoder = new HeaderEncoder();
    for (const key of ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie']) {
      const [first, second] = [1, 2].map(() => Buffer.from(encoder.encode([key, 'secret'])));
      expect([key, (first?.[0] ?? 0) >>> 4, first?.equals(second ?? Buffer.alloc(0))]).toEqual([key, 1, true]);
    }
  });

  it('that HTTP cannot hold are left out, and told of', () => {
    const raw = ['x-a', 'one\r\nx-evil: 1', 'x b', '2', 'X-Upper', '3', 'x-c', '\u0000', 'x-d', '4'];
    expect(openDecoder().decode(new HeaderEncoder().encode(raw))).toEqual({
      ...{ raw: ['x-d', '4'], isUnsound: true, isTooLong: false },
    });
  });

  it('larger than the table empty it, hold no memory, and the next is the first in it', () => {
    const decoder = openDecoder();
    // Its name, and the length of its value: 100,000.
    const large = Buffer.concat([hex('40 01 61 7f a1 8c 06'), Buffer.alloc(100_000, 'v')]);
    const before = readHeapBytes();
    for (let i = 0; i < 250; i += 1) decoder.decode(large);
    expect(readHeapBytes() - before).toBeLessThan(5_000_000);
    expect(() => decoder.decode(hex('be'))).toThrow(ConnectionFault);
    expect(decoder.decode(hex('40 01 62 01 63')).raw).toEqual(['b', 'c']);
    expect(decoder.decode(hex('be')).raw).toEqual(['b', 'c']);
  });

  it('have no space around their values', () => {
    expect(openDecoder().decode(new HeaderEncoder().encode(['x-a', ' \t1 2 '])).raw).toEqual(['x-a', '1 2']);
  });

  it('of more than was allowed are told so, and those after them still read', () => {
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder(200);
    expect(decoder.decode(Buffer.from(encoder.encode(['x-a', 'a'.repeat(300)])))).toMatchObject({ isTooLong: true });
    expect(decoder.decode(Buffer.from(encoder.encode(['x-b', 'b'])))).toMatchObject({
      raw: ['x-b', 'b'],
      isTooLong: false,
    });
  });
});

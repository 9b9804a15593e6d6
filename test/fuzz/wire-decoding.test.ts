import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openDecoder } from '../../src/providers/wire/content-decoding.js';

const zstdSample = Buffer.from('KLUv/QRYkQAAZGF0YTogaGVsbG8genN0ZAoKKy8ijQ==', 'base64');
const codings = fc.constantFrom(null, 'gzip', 'br', 'deflate', 'zstd', 'gzip, br', 'zstd, deflate', 'nonsense');

async function decode(coding: string | null, parts: readonly Uint8Array[], whole: boolean): Promise<Buffer> {
  const out: Buffer[] = [];
  const decoder = openDecoder(coding, (bytes) => out.push(bytes), { whole, maxDecodedBytes: 1_000_000 });
  for (const part of parts) decoder.write(part);
  await decoder.end();
  return Buffer.concat(out);
}

it('takes any bytes for any coding without throwing, and ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      codings,
      fc.array(fc.uint8Array({ maxLength: 100 })),
      fc.boolean(),
      async (coding, parts, whole) => {
        await decode(coding, parts, whole);
      },
    ),
    { numRuns: 400 },
  );
});

it('takes a damaged body of any coding without throwing, and ends', async () => {
  const text = Buffer.from('data: {"a":[1,2,3]}\n\n'.repeat(20));
  const bodies: readonly (readonly [string, Buffer])[] = [
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['zstd', zstdSample],
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bodies),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (body, place, flip, whole) => {
        const [coding, encoded] = body;
        const damaged = Buffer.from(encoded);
        const at = place % damaged.length;
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        await decode(coding, [damaged.subarray(0, 7), damaged.subarray(7)], whole);
      },
    ),
    { numRuns: 500 },
  );
});

it('gives back any bytes in any coding', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.boolean(), async (bytes, whole) => {
      expect((await decode('gzip', [gzipSync(bytes)], whole)).equals(bytes)).toBe(true);
      expect((await decode('br, deflate', [deflateSync(brotliCompressSync(bytes))], whole)).equals(bytes)).toBe(true);
      expect((await decode('deflate', [deflateRawSync(bytes)], whole)).equals(bytes)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

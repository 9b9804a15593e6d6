import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openDecoder, openEncoder } from '../../../src/providers/wire/content-decoding.js';

describe('openEncoder', () => {
  it('gives out every write at once, so that the client sees it', async () => {
    for (const coding of ['gzip', 'x-gzip', 'deflate', 'br']) {
      let arrived: (text: string) => void = () => undefined;
      const decoder = openDecoder(coding, (bytes) => arrived(bytes.toString()));
      const encoder = openEncoder(coding, (bytes) => decoder.write(bytes));
      for (const frame of ['data: 1\n\n', 'data: 2\n\n']) {
        const seen = new Promise<string>((resolve) => {
          arrived = resolve;
        });
        encoder?.write(Buffer.from(frame));
        expect(await seen).toBe(frame);
      }
      await encoder?.end();
      await decoder.end();
      expect(decoder.problem).toBeNull();
    }
  });

  it('writes bodies other readers take, empty ones included', async () => {
    for (const body of ['', 'some text', 'x'.repeat(1_000_000)]) {
      for (const [coding, read] of [
        ['gzip', gunzipSync],
        ['deflate', inflateSync],
        ['br', brotliDecompressSync],
      ] as const) {
        const out: Buffer[] = [];
        const encoder = openEncoder(coding, (bytes) => out.push(bytes));
        encoder?.write(Buffer.from(body));
        await encoder?.ready();
        await encoder?.end();
        expect(read(Buffer.concat(out)).toString()).toBe(body);
      }
    }
  });

  it('passes through without a coding and knows what it cannot write', () => {
    const seen: string[] = [];
    const encoder = openEncoder(null, (bytes) => seen.push(bytes.toString()));
    encoder?.write(Buffer.from('a'));
    expect(seen).toEqual(['a']);
    expect(openEncoder('zstd', () => undefined)).toBeUndefined();
    expect(openEncoder('gzip, br', () => undefined)).toBeUndefined();
  });
});

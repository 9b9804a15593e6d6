import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openDecoder } from '../../../src/providers/wire/content-decoding.js';
import { decode, makeNoise, singleBytes, text, zstdSample } from './decoded.js';

const hasZstd = spawnSync('zstd', ['--version']).status === 0;

function zstd(input: Buffer, ...args: string[]): Buffer {
  const { stdout, status } = spawnSync('zstd', ['-c', '-q', ...args], { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error('zstd failed');
  return stdout;
}

describe('zstd', () => {
  it('decodes a sample in any pieces', async () => {
    for (const parts of [[zstdSample], singleBytes(zstdSample), [zstdSample, zstdSample]]) {
      const decoded = await decode('zstd', parts);
      expect(decoded).toEqual({
        bytes: Buffer.from('data: hello zstd\n\n'.repeat(parts.length === 2 ? 2 : 1)),
        problem: null,
      });
    }
  });

  it('passes over skippable frames', async () => {
    const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const empty = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    const encoded = Buffer.concat([skippable, zstdSample, empty, zstdSample, skippable]);
    for (const parts of [[encoded], singleBytes(encoded)]) {
      expect((await decode('zstd', parts)).bytes.toString()).toBe('data: hello zstd\n\n'.repeat(2));
    }
  });

  it('says when it was cut at any byte', async () => {
    for (let cut = 1; cut < zstdSample.length; cut++) {
      const decoded = await decode('zstd', [zstdSample.subarray(0, cut)], { whole: cut % 2 === 0 });
      expect(decoded.problem, `cut at ${cut}`).toBe('The encoded body ends in the middle.');
    }
  });

  it('refuses a window larger than the content coding allows', async () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0, 0, 0]);
    const decoded = await decode('zstd', [frame]);
    expect(decoded.problem).toMatch(/its window of 1073741824 bytes is larger than allowed/);
    const single = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    expect((await decode('zstd', [single])).problem).toMatch(/its window of \d+ bytes is larger than allowed/);
  });

  it('gives out each block as soon as its last byte is in', async () => {
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]);
    let arrived: (text: string) => void = () => undefined;
    const decoder = openDecoder('zstd', (bytes) => arrived(bytes.toString()));
    decoder.write(head);
    for (const word of ['a', 'bc', 'def']) {
      const size = Buffer.from([word.length << 3, 0, 0]);
      const seen = new Promise<string>((resolve) => {
        arrived = resolve;
      });
      decoder.write(Buffer.concat([size, Buffer.from(word)]));
      expect(await seen).toBe(word);
    }
    decoder.close();
  });

  it('stops a bomb of repeated bytes while others go on running', async () => {
    const block = Buffer.from([
      (((128 * 1024) << 3) & 0xff) | 2,
      ((128 * 1024) >> 5) & 0xff,
      ((128 * 1024) >> 13) & 0xff,
      0,
    ]);
    const bomb = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50]),
      ...Array.from({ length: 8192 }, () => block),
    ]);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    let given = 0;
    const decoder = openDecoder('zstd', (bytes) => {
      given += bytes.length;
    });
    decoder.write(bomb);
    await decoder.end();
    clearInterval(timer);
    expect(decoder.problem).toMatch(/more than 100 times its size/);
    expect(given).toBeLessThan(70 * 1024 * 1024);
    expect(turns).toBeGreaterThan(0);
  });

  it.skipIf(!hasZstd)('decodes what the zstd program writes (needs it on the PATH)', async () => {
    const noise = makeNoise(400_000);
    for (const input of [Buffer.from('x'), text, noise, Buffer.alloc(3_000_000, 'lorem ipsum '), Buffer.alloc(0)]) {
      for (const args of [['-1'], ['-3', '--no-check'], ['-19'], [`--stream-size=${input.length}`]]) {
        const encoded = zstd(input, ...args);
        for (const whole of [false, true]) {
          const parts =
            encoded.length < 5000 ? singleBytes(encoded) : [encoded.subarray(0, 999), encoded.subarray(999)];
          const decoded = await decode('zstd', parts, { whole });
          expect(decoded.problem).toBeNull();
          expect(decoded.bytes.equals(input)).toBe(true);
        }
      }
    }
    expect(await decode('zstd, gzip', [gzipSync(zstd(text))])).toEqual({ bytes: text, problem: null });
    expect((await decode('zstd', [zstd(text).subarray(0, 30)])).problem).toBe('The encoded body ends in the middle.');
  });
});

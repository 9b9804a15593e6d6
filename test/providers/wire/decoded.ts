import { createCipheriv } from 'node:crypto';
import { type DecoderOptions, openDecoder } from '../../../src/providers/wire/content-decoding.js';

export interface Decoded {
  readonly bytes: Buffer;
  readonly problem: string | null;
}

export async function decode(
  coding: string | null,
  parts: readonly Buffer[],
  options: DecoderOptions = {},
): Promise<Decoded> {
  const out: Buffer[] = [];
  const decoder = openDecoder(coding, (bytes) => out.push(Buffer.from(bytes)), options);
  for (const part of parts) decoder.write(part);
  await decoder.end();
  decoder.close();
  return { bytes: Buffer.concat(out), problem: decoder.problem };
}

export function singleBytes(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

export const text = Buffer.from('data: {"größe":"🙂","n":12345}\n\n'.repeat(500));

/** `printf 'data: hello zstd\n\n' | zstd -3`: one frame, with a checksum. */
export const zstdSample = Buffer.from('KLUv/QRYkQAAZGF0YTogaGVsbG8genN0ZAoKKy8ijQ==', 'base64');

/** Bytes without a pattern, the same at every run. */
export function makeNoise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}

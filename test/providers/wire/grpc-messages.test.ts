import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GrpcMessages } from '../../../src/providers/wire/grpc-messages.js';

function frame(body: Buffer, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

function cut(chunks: readonly Uint8Array[], encoding: string | null = null) {
  const read: string[] = [];
  const problems: string[] = [];
  const messages = new GrpcMessages({
    encoding,
    onMessage: (message) => read.push(message.toString()),
    onProblem: (problem) => problems.push(problem),
  });
  for (const chunk of chunks) messages.write(chunk);
  return { read, problems, isWhole: messages.end() };
}

const body = Buffer.concat([frame(Buffer.from('one')), frame(Buffer.alloc(0)), frame(Buffer.from('three'))]);

describe('a body of gRPC', () => {
  it('is cut into its messages, wherever the chunks end', () => {
    const whole = { read: ['one', '', 'three'], problems: [], isWhole: true };
    expect(cut([body])).toEqual(whole);
    expect(cut([...body].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
    for (let at = 0; at <= body.length; at++) expect(cut([body.subarray(0, at), body.subarray(at)])).toEqual(whole);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('is decompressed message by message, where they say so: %s', (encoding, compress) => {
    const mixed = Buffer.concat([frame(compress('one'), 1), frame(Buffer.from('two'))]);
    expect(cut([mixed], encoding)).toEqual({ read: ['one', 'two'], problems: [], isWhole: true });
  });

  it('is not whole where it was cut', () => {
    expect(cut([body.subarray(0, body.length - 1)])).toMatchObject({ read: ['one', ''], isWhole: false });
    expect(cut([body.subarray(0, 3)])).toMatchObject({ read: [], isWhole: false });
  });

  it('passes over a message that is too large, holding none of it, and reads the next', () => {
    const size = 16 * 1024 * 1024 + 1;
    const head = frame(Buffer.alloc(0));
    head.writeUInt32BE(size, 1);
    const part = Buffer.alloc(1024 * 1024);
    const parts = Array.from({ length: 16 }, () => part);
    const { read, problems } = cut([head, ...parts, Buffer.from('x'), frame(Buffer.from('next'))]);
    expect(read).toEqual(['next']);
    expect(problems).toEqual([`A message of gRPC of ${size} bytes is too large to be read.`]);
  });

  it('does not inflate without bound', () => {
    const { read, problems } = cut([frame(gzipSync(Buffer.alloc(5 * 1024 * 1024)), 1)], 'gzip');
    expect(read).toEqual([]);
    expect(problems).toEqual([expect.stringContaining('could not be decompressed')]);
  });
});

import v8 from 'node:v8';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFormReader } from '../../../src/providers/wire/multipart-reader.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** What is held, which what is yet to be collected is not. */
function readHeldBytes(): number {
  // Buffers found unused are let go by the one after.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

const boundary = '----formdata-undici-015772';
const type = `multipart/form-data; boundary=${boundary}`;

function makeForm(parts: readonly (readonly [head: string, value: string | Buffer])[]): Buffer {
  const pieces = parts.flatMap(([head, value]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

function read(body: Buffer, pieceBytes = body.length, contentType = type) {
  const reader = openFormReader(contentType);
  for (let at = 0; at < body.length; at += pieceBytes) reader?.write(body.subarray(at, at + pieceBytes));
  return reader?.end();
}

const nearly = Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n\r--\r\n-`);
const form = makeForm([
  ['name="model"', 'gpt-image-1'],
  [
    'name="image[]"; filename="a; name=b.png"\r\nContent-Type: image/png',
    Buffer.concat([nearly, Buffer.alloc(3000, 13)]),
  ],
  ['name=stream', 'true'],
  ['name="empty"', ''],
  ['name="prompt"', 'été\r\n--\r\n🌊'],
]);
const fields = { model: 'gpt-image-1', stream: 'true', empty: '', prompt: 'été\r\n--\r\n🌊' };

describe('a form', () => {
  it('is read but for its files, wherever it is cut', () => {
    expect(read(form)).toEqual({ ok: true, value: fields, elided: true });
    for (const pieceBytes of [1, 2, 3, 7, 64, 1000]) expect(read(form, pieceBytes)).toEqual(read(form));
  });

  it('gives the same in any two pieces', () => {
    for (let cutAt = 0; cutAt < form.length; cutAt++) {
      const reader = openFormReader(type);
      reader?.write(form.subarray(0, cutAt));
      reader?.write(form.subarray(cutAt));
      expect(reader?.end()).toEqual({ ok: true, value: fields, elided: true });
    }
  });

  it('is known by its content type, its boundary quoted or not', () => {
    expect(read(form, form.length, `Multipart/Form-Data; charset=utf-8; Boundary="${boundary}"`)).toMatchObject({
      ok: true,
    });
    for (const other of [null, 'application/json', 'multipart/mixed; boundary=x', 'multipart/form-data'])
      expect(openFormReader(other)).toBeUndefined();
  });

  it('says what it held when it was cut, and what is wrong when that is nothing', () => {
    expect(read(form.subarray(0, 300))).toMatchObject({ ok: true, value: { model: 'gpt-image-1' } });
    const problem = 'The form has no field that could be read.';
    for (const body of [
      Buffer.alloc(0),
      Buffer.from('{"model":"x"}'),
      form.subarray(0, 60),
      Buffer.from(`--${boundary}--`),
    ])
      expect(read(body)).toEqual({ ok: false, problem });
  });

  it('leaves out values, names and fields beyond its bounds', () => {
    const long = makeForm([
      ['name="long"', 'x'.repeat(1025)],
      ['name="model"', 'y'.repeat(1024)],
    ]);
    expect(read(long)).toEqual({ ok: true, value: { model: 'y'.repeat(1024) }, elided: true });
    const many = makeForm(Array.from({ length: 100 }, (_, index) => [`name="f${index}"`, 'v'] as const));
    const reading = read(many);
    expect(reading?.ok === true && Object.keys(reading.value ?? {}).length).toBe(64);
  });

  it('keeps a fraction of a large file in memory, and takes no time over it', () => {
    const reader = openFormReader(type);
    const start = readHeldBytes();
    reader?.write(form.subarray(0, 400));
    const piece = Buffer.alloc(64 * 1024, '\r\n--');
    for (let index = 0; index < 1600; index++) reader?.write(piece);
    expect(readHeldBytes() - start).toBeLessThan(1024 * 1024);
    reader?.write(Buffer.from(`\r\n--${boundary}--`));
    expect(reader?.end()).toMatchObject({ ok: true, value: { model: 'gpt-image-1' } });
  });

  it('never throws over any bytes', () => {
    const token = fc.constantFrom(
      '\r\n',
      '--',
      boundary,
      `\r\n--${boundary}`,
      'Content-Disposition: form-data; name="a"',
      '\r\n\r\n',
      '"',
    );
    const piece = fc.oneof(
      token.map((text) => Buffer.from(text)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const reader = openFormReader(type);
        for (const bytes of pieces) reader?.write(bytes);
        expect(reader?.end().ok).toEqual(read(Buffer.concat(pieces))?.ok);
      }),
      { numRuns: 500 },
    );
  });
});

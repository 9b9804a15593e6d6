import { describe, expect, it } from 'vitest';
import { JsonReader, type JsonReaderOptions, type JsonReading } from '../../../src/providers/wire/json-reader.js';

function read(text: string | Buffer, options: JsonReaderOptions = {}, step = Number.POSITIVE_INFINITY): JsonReading {
  const reader = new JsonReader(options);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) reader.write(bytes.subarray(at, at + step));
  return reader.end();
}

/** Read by the shortening scanner from the first byte on. */
const shortening: JsonReaderOptions = { maxWholeBytes: 0 };

const answer = {
  id: 'resp_1',
  model: 'gpt-x',
  text: 'He said "hi" \\ \n größe 🙂 \ud800',
  'a "key" \\': [1, -2.5e10, true, false, null, '', [], {}, [[]], { a: [{ b: 'c' }] }],
  usage: { input: 1, output: 0 },
};

describe('JsonReader', () => {
  it('parses a short text whole', () => {
    expect(read('{"model":"m","n":1}')).toEqual({ ok: true, value: { model: 'm', n: 1 }, elided: false });
    expect(read(' [1, "a"] ')).toEqual({ ok: true, value: [1, 'a'], elided: false });
    expect(read('\ufeff{"a":1}')).toEqual({ ok: true, value: { a: 1 }, elided: false });
    expect(read('"x"')).toEqual({ ok: true, value: 'x', elided: false });
  });

  it('reads the same from a long text without anything long in it, cut at any byte', () => {
    for (const text of [
      JSON.stringify(answer),
      JSON.stringify(answer, null, 2),
      `\ufeff\r\n\t${JSON.stringify([answer])}`,
    ]) {
      const expected = JSON.parse(text.replace('\ufeff', ''));
      const bytes = Buffer.from(text);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const reader = new JsonReader({ maxWholeBytes: 2 });
        reader.write(bytes.subarray(0, cut));
        reader.write(bytes.subarray(cut));
        expect(reader.end(), `cut at ${cut}`).toEqual({ ok: true, value: expected, elided: false });
      }
      expect(read(bytes, { maxWholeBytes: 4 }, 1)).toEqual({ ok: true, value: expected, elided: false });
    }
  });

  it('reads a long string as an empty one and keeps what stands around it', () => {
    const text = JSON.stringify({ a: 'x'.repeat(20), b: `${'"\\'.repeat(10)}`, c: 'short', d: ['y'.repeat(11), 1] });
    for (const step of [1, 2, 3, 1000]) {
      expect(read(text, { maxWholeBytes: 10, maxStringBytes: 10 }, step)).toEqual({
        ok: true,
        value: { a: '', b: '', c: 'short', d: ['', 1] },
        elided: true,
      });
    }
  });

  it('cuts long arrays of numbers and keeps objects after them', () => {
    const numbers = Array.from({ length: 1536 }, (_, i) => i / 7);
    const text = JSON.stringify({
      data: [{ embedding: numbers }, { embedding: numbers }],
      usage: { prompt_tokens: 9 },
    });
    const kept = numbers.slice(0, 32);
    expect(read(text, shortening)).toEqual({
      ok: true,
      value: { data: [{ embedding: kept }, { embedding: kept }], usage: { prompt_tokens: 9 } },
      elided: true,
    });
    const mixed = [...numbers, { a: 1 }, 'x', [2], ...numbers];
    expect(read(JSON.stringify({ mixed }), shortening, 5)).toMatchObject({
      value: { mixed: [...kept, { a: 1 }, [2]] },
    });
  });

  it('cuts long inner arrays of objects but not the outermost', () => {
    const objects = Array.from({ length: 2000 }, (_, i) => ({ i, in: [{ s: '}],' }] }));
    expect(read(JSON.stringify({ objects, end: 1 }), shortening, 999)).toEqual({
      ok: true,
      value: { objects: objects.slice(0, 1024), end: 1 },
      elided: true,
    });
    expect(read(JSON.stringify(objects), shortening)).toEqual({ ok: true, value: objects, elided: false });
  });

  it('reads model and usage of a 50 MB body within a few megabytes', () => {
    const reader = new JsonReader();
    const piece = Buffer.from(`{"role":"user","content":"${'lorem \\"ipsum\\" '.repeat(4000)}"},`);
    const before = process.memoryUsage().rss;
    reader.write(Buffer.from('{"model":"m","messages":['));
    for (let sent = 0; sent < 50_000_000; sent += piece.length) reader.write(piece);
    reader.write(Buffer.from('{"role":"user"}],"usage":{"input_tokens":12}}'));
    const reading = reader.end();
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * 1024 * 1024);
    expect(reading).toMatchObject({ ok: true, elided: true, value: { model: 'm', usage: { input_tokens: 12 } } });
  });

  it('says when what remains is still too large', () => {
    const text = `{${Array.from({ length: 2000 }, (_, i) => `"key${i}":${i}`).join()}}`;
    expect(read(text, { maxWholeBytes: 100, maxSkeletonBytes: 1000 })).toEqual({
      ok: false,
      problem: 'The JSON is too large to read: without its long texts it is still over 1000 bytes.',
    });
  });

  it('refuses deep nesting, short or long', () => {
    const deep = '['.repeat(600) + ']'.repeat(600);
    const problem = 'The JSON nests deeper than 512 levels.';
    expect(read(deep)).toEqual({ ok: false, problem });
    expect(read(deep, shortening)).toEqual({ ok: false, problem });
    expect(read('{"a":'.repeat(300_000), {}, 65_536)).toMatchObject({ ok: false });
    const allowed = '['.repeat(512) + ']'.repeat(512);
    expect(read(allowed)).toMatchObject({ ok: true });
    expect(read(allowed, shortening)).toMatchObject({ ok: true });
  });

  it('refuses what is no JSON, short or long, without repeating it', () => {
    const broken = [
      '{',
      '{"a":1',
      '{"a":"sk-secret',
      '[1,]',
      '[1,,2]',
      '[1 2]',
      '{"a" 1}',
      '{"a":1}}',
      ']',
      '[}',
      '{"a":sk-secret}',
    ];
    for (const text of [
      ...broken,
      '{"a":01}',
      '{"a":NaN}',
      '<html>sk-secret</html>',
      "{'a':1}",
      '{"a":1}{"b":2}',
      '{"a":1} x',
    ]) {
      for (const options of [{}, shortening]) {
        const reading = read(text, options);
        expect(reading, text).toMatchObject({ ok: false });
        expect(JSON.stringify(reading)).not.toContain('secret');
      }
    }
    expect(read('')).toEqual({ ok: false, problem: 'The body is empty.' });
    expect(read('{"a":1')).toEqual({ ok: false, problem: expect.stringContaining('The text is no JSON') });
  });

  it('says that a long text was cut at any byte of it', () => {
    const bytes = Buffer.from(JSON.stringify(answer));
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(read(bytes.subarray(0, cut), shortening)).toEqual({ ok: false, problem: 'The JSON ends in the middle.' });
    }
  });
});

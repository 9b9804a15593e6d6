import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/call-record.js';
import { JsonArrayReader, NdjsonReader } from '../../../src/providers/wire/json-reader.js';

describe('JsonArrayReader', () => {
  const elements: JsonValue[] = [{ a: '}]",\\"[' }, { b: [{ c: 'ü🙂' }] }, [1, [2]], 'a"]', 12, null, true, {}];

  it('gives out each element as soon as it is whole', () => {
    const seen: JsonValue[] = [];
    const reader = new JsonArrayReader((element) => seen.push(element));
    reader.write(Buffer.from('[{"a":1}'));
    expect(seen).toEqual([{ a: 1 }]);
    reader.write(Buffer.from('\r\n,\r\n{"a":'));
    expect(seen).toHaveLength(1);
    reader.write(Buffer.from('2}]'));
    expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
    expect(reader.end()).toEqual({ ok: true, count: 2 });
  });

  it('reads the same elements cut at any byte', () => {
    for (const text of [
      JSON.stringify(elements),
      JSON.stringify(elements, null, 2),
      `\ufeff ${JSON.stringify(elements)}\n`,
    ]) {
      const bytes = Buffer.from(text);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const seen: JsonValue[] = [];
        const reader = new JsonArrayReader((element) => seen.push(element));
        reader.write(bytes.subarray(0, cut));
        reader.write(bytes.subarray(cut));
        expect(reader.end()).toEqual({ ok: true, count: elements.length });
        expect(seen, `cut at ${cut}`).toEqual(elements);
      }
    }
  });

  it('keeps the whole elements of an array that was cut', () => {
    const seen: JsonValue[] = [];
    const reader = new JsonArrayReader((element) => seen.push(element));
    reader.write(Buffer.from('[{"a":1},{"a":2},{"a'));
    expect(reader.end()).toMatchObject({ ok: false, count: 2 });
    expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('takes a top-level object for the one element', () => {
    const seen: JsonValue[] = [];
    const reader = new JsonArrayReader((element) => seen.push(element));
    reader.write(Buffer.from('{"error":{"code":400}}\n'));
    expect(reader.end()).toEqual({ ok: true, count: 1 });
    expect(seen).toEqual([{ error: { code: 400 } }]);
  });

  it('reports a bad element and reads the next', () => {
    const seen: JsonValue[] = [];
    const problems: string[] = [];
    const reader = new JsonArrayReader((element) => seen.push(element), {
      onProblem: (problem) => problems.push(problem),
    });
    reader.write(Buffer.from('[{"a" 1},{"a":2}]'));
    expect(reader.end()).toMatchObject({ ok: false, count: 1 });
    expect(seen).toEqual([{ a: 2 }]);
    expect(problems).toHaveLength(1);
  });

  it('says what is wrong with an empty body, a page of HTML and text after the array', () => {
    for (const text of ['', '<html></html>', '[{}] x', '[']) {
      const reader = new JsonArrayReader(() => undefined);
      reader.write(Buffer.from(text));
      expect(reader.end(), text).toMatchObject({ ok: false });
    }
  });

  it('shortens an element of any size', () => {
    const seen: JsonValue[] = [];
    const reader = new JsonArrayReader((element) => seen.push(element));
    reader.write(Buffer.from('[{"data":"'));
    for (let sent = 0; sent < 200; sent++) reader.write(Buffer.alloc(65_536, 'A'));
    reader.write(Buffer.from('","n":1},{"n":2}]'));
    expect(reader.end()).toEqual({ ok: true, count: 2 });
    expect(seen).toEqual([{ data: '', n: 1 }, { n: 2 }]);
  });
});

describe('NdjsonReader', () => {
  it('reads a value a line, cut at any byte, without an end to the last', () => {
    const bytes = Buffer.from('{"a":"ü"}\n\r\n  \n[1]\r\n{"done":true}');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const seen: JsonValue[] = [];
      const reader = new NdjsonReader((value) => seen.push(value));
      reader.write(bytes.subarray(0, cut));
      reader.write(bytes.subarray(cut));
      expect(reader.end()).toEqual({ ok: true, count: 3 });
      expect(seen).toEqual([{ a: 'ü' }, [1], { done: true }]);
    }
  });

  it('reports a bad line and reads the next', () => {
    const seen: JsonValue[] = [];
    const reader = new NdjsonReader((value) => seen.push(value));
    reader.write(Buffer.from('{"a":\n{"a":1}\n'));
    expect(reader.end()).toMatchObject({ ok: false, count: 1 });
    expect(seen).toEqual([{ a: 1 }]);
  });
});

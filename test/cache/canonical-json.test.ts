import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCanonical, readExactObject } from '../../src/cache/canonical-json.js';

const read = (text: string) => readExactObject(Buffer.from(text));
const format = (text: string) => formatCanonical(read(text) ?? 'unread');

describe('canonical JSON', () => {
  it('is the same text whatever the order of members, spaces and escapes', () => {
    expect(format('{"b": [1.0, {"d": "\\u0041", "c": null}], "a": 1e2}')).toBe('{"a":100,"b":[1,{"c":null,"d":"A"}]}');
  });

  it('keeps a lone surrogate apart from every other', () => {
    expect(format('{"a":"\\ud800"}')).not.toBe(format('{"a":"\\udc00"}'));
    expect(format('{"a":"\\ud800"}')).toBe('{"a":"\\ud800"}');
  });

  it('keeps members named as parts of a prototype', () => {
    expect(format('{"__proto__":{"x":1},"constructor":2}')).toBe('{"__proto__":{"x":1},"constructor":2}');
  });

  it('keeps U+2028 and characters beyond the first plane', () => {
    expect(format('{"a":"\u2028😀"}')).toBe('{"a":"\u2028😀"}');
  });

  it('refuses what a parse would lose', () => {
    expect(read('{"seed":9007199254740993}')).toBeUndefined();
    expect(read('{"a":1e400}')).toBeUndefined();
    expect(read('{"a":1e-400}')).toBeUndefined();
    expect(read('{"a":1,"a":2}')).toBeUndefined();
    expect(readExactObject(Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]))).toBeUndefined();
  });

  it('takes numbers a double holds, however they are written', () => {
    expect(format('{"a":0.30000000000000004,"b":-0,"c":1.50,"d":1E3}')).toBe(
      '{"a":0.30000000000000004,"b":0,"c":1.5,"d":1000}',
    );
  });

  it('is not misled by digits, colons and quotes inside of strings', () => {
    expect(format('{"a":"id: 12345678901234567890 \\\\\\" 1e999: \\\\","b":1}')).toContain('12345678901234567890');
  });

  it('reads nothing but objects', () => {
    for (const text of ['[1]', '"a"', 'null', '', '{', '{"a":1}{"b":2}']) expect(read(text)).toBeUndefined();
  });

  it('refuses what is nested too deeply', () => {
    expect(read(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toBeUndefined();
  });

  it('says the same of any object and of its members in another order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        const [a, b] = [object, reversed].map((value) => readExactObject(Buffer.from(JSON.stringify(value))));
        if (a === undefined || b === undefined) return;
        expect(formatCanonical(a)).toBe(formatCanonical(b));
        expect(JSON.parse(formatCanonical(a))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });
});

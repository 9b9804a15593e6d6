import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import { JsonArrayReader, JsonReader, NdjsonReader } from '../../src/providers/wire/json-reader.js';

const values = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });
const indents = fc.constantFrom(0, 2, '\t');
const step = fc.integer({ min: 1, max: 40 });

function cut(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

it('reads any JSON without long parts as JSON.parse does, by the shortening scanner too', () => {
  fc.assert(
    fc.property(values, indents, step, fc.constantFrom(0, 10, 1000), (value, indent, size, maxWholeBytes) => {
      const text = JSON.stringify(value, null, indent);
      const reader = new JsonReader({ maxWholeBytes });
      for (const part of cut(text, size)) reader.write(part);
      expect(reader.end()).toEqual({ ok: true, value: JSON.parse(text), elided: false });
    }),
    { numRuns: 500 },
  );
});

it('refuses any text JSON.parse refuses, and takes what it takes', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '\\',
    '1',
    '-',
    'true',
    'null',
    ' ',
    '\n',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), step, (parts, size) => {
      const text = parts.join('');
      const reader = new JsonReader({ maxWholeBytes: 0 });
      for (const part of cut(text, size)) reader.write(part);
      const reading = reader.end();
      let expected: unknown;
      try {
        expected = { ok: true, value: JSON.parse(text), elided: false };
      } catch {
        expected = expect.objectContaining({ ok: false });
      }
      expect(reading).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
});

it('gives out the elements of any array, cut anywhere', () => {
  fc.assert(
    fc.property(fc.array(values), indents, step, (elements, indent, size) => {
      const text = JSON.stringify(elements, null, indent);
      const seen: JsonValue[] = [];
      const reader = new JsonArrayReader((element) => seen.push(element));
      for (const part of cut(text, size)) reader.write(part);
      expect(reader.end()).toEqual({ ok: true, count: elements.length });
      expect(seen).toEqual(JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

it('gives out the lines of any stream, cut anywhere', () => {
  fc.assert(
    fc.property(fc.array(values), fc.constantFrom('\n', '\r\n', '\n\n'), step, (elements, end, size) => {
      const seen: JsonValue[] = [];
      const reader = new NdjsonReader((value) => seen.push(value));
      for (const part of cut(elements.map((value) => JSON.stringify(value)).join(end), size)) reader.write(part);
      expect(reader.end()).toEqual({ ok: true, count: elements.length });
      expect(seen).toEqual(elements.map((value) => JSON.parse(JSON.stringify(value))));
    }),
    { numRuns: 300 },
  );
});

it('takes any bytes without throwing', () => {
  const bytes = fc.array(fc.uint8Array({ maxLength: 50 }));
  fc.assert(
    fc.property(bytes, (parts) => {
      const readers = [
        new JsonReader(),
        new JsonReader({ maxWholeBytes: 0, maxStringBytes: 3, maxSkeletonBytes: 20 }),
        new JsonArrayReader(() => undefined, { maxWholeBytes: 4 }),
        new NdjsonReader(() => undefined),
      ];
      for (const reader of readers) {
        for (const part of parts) reader.write(part);
        reader.end();
      }
    }),
    { numRuns: 500 },
  );
});

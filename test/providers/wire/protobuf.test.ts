import { describe, expect, it } from 'vitest';
import { type ProtoFields, readProtoMessage } from '../../../src/providers/wire/protobuf.js';

const fields: ProtoFields = {
  1: { name: 'tokens', kind: 'number' },
  2: { name: 'name', kind: 'text' },
  3: { name: 'kinds', kind: 'enum', names: { 1: 'ONE', 2: 'TWO' }, isList: true },
  4: { name: 'inner', kind: 'message', isList: true, fields: { 1: { name: 'index', kind: 'place' } } },
  5: { name: 'data', kind: 'present' },
};
const read = (...bytes: number[]) => readProtoMessage(Uint8Array.from(bytes), fields);

describe('a message of Protocol Buffers', () => {
  it('is a document of the fields that are known', () => {
    expect(read(0x08, 0x96, 0x01)).toEqual({ tokens: 150 });
    expect(read(0x12, 0x02, 0x68, 0x69, 0x7a, 0x01, 0x00)).toEqual({ name: 'hi' });
    expect(read(0x2a, 0x03, 1, 2, 3)).toEqual({ data: true });
    expect(read()).toEqual({});
  });

  it('takes the last of a single field, and all of a list, packed or not', () => {
    expect(read(0x08, 1, 0x08, 0)).toEqual({ tokens: 0 });
    expect(read(0x18, 1, 0x1a, 3, 2, 9, 0)).toEqual({ kinds: ['ONE', 'TWO', '9'] });
  });

  it('takes what is left out of a place for 0, and of a count for not stated', () => {
    expect(read(0x22, 0, 0x22, 2, 0x08, 1)).toEqual({ inner: [{ index: 0 }, { index: 1 }] });
  });

  it('passes over a field of another type, and numbers of fixed length', () => {
    expect(read(0x0a, 1, 0x61, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4)).toEqual({});
  });

  it('tells a negative number from a count', () => {
    const negative = read(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    expect(Number.isSafeInteger(negative?.tokens)).toBe(false);
  });

  it.each([
    ['a tag without a value', [0x08]],
    ['a varint without an end', [0x08, 0xff, 0xff]],
    ['a varint that is too long', [0x08, ...Array.from({ length: 11 }, () => 0xff)]],
    ['a length beyond the end', [0x12, 0x05, 0x61]],
    ['field 0', [0x00, 0x00]],
    ['a group', [0x0b, 0x0c]],
    ['an inner message that is none', [0x22, 0x01, 0x08]],
    ['a packed list that is cut', [0x1a, 0x01, 0xff]],
  ])('is none with %s', (_what, bytes) => {
    expect(read(...bytes)).toBeUndefined();
  });
});

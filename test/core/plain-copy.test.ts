import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { copyPlainData } from '../../src/core/plain-copy.js';

describe('a copy of plain data', () => {
  it('shares no list and no plain object with what it was made of, of another realm either', () => {
    const given = runInNewContext('({ list: [{ a: 1 }], none: null, __proto__: null })') as { list: { a: number }[] };
    const copy = copyPlainData(given);
    expect(copy).toEqual({ list: [{ a: 1 }], none: null });
    Object.assign(given.list[0] ?? {}, { a: 2 });
    expect(copy.list[0]?.a).toBe(1);
  });

  it('keeps what is not plain as it is, and never freezes it', () => {
    const own = { at: new Date(0), act: () => 1, map: new Map() };
    const copy = copyPlainData(own, true);
    expect(copy).toEqual(own);
    expect(copy.at).toBe(own.at);
    expect([copy, own, own.map].map(Object.isFrozen)).toEqual([true, false, false]);
  });

  it('holds itself where what it was made of does, and is as deep as that', () => {
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    const copy = copyPlainData(ring);
    expect(copy).not.toBe(ring);
    expect(copy.self).toBe(copy);
    let deep: unknown = 'end';
    for (let i = 0; i < 100_000; i++) deep = [deep];
    let found: unknown = copyPlainData(deep, true);
    while (Array.isArray(found)) found = found[0];
    expect(found).toBe('end');
  });

  it('has a property called __proto__ like any other', () => {
    const copy = copyPlainData(JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(copy.polluted).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import {
  makeIdReader,
  makeWholeNumberReader,
  readBodyPolicy,
  readInstant,
  readList,
  readSize,
} from '../../src/cli/read-flags.js';

const invalid = expect.objectContaining({ code: 'OPTION_INVALID', hint: expect.any(String) });

describe('whole numbers', () => {
  const read = makeWholeNumberReader('--limit', 1);

  it('are read from digits alone', () => {
    expect(read('20')).toBe(20);
    for (const value of ['', '0', '-1', '1.5', '1e3', ' 2', '0x10', '9'.repeat(16)]) {
      expect(() => read(value), value).toThrow(invalid);
    }
  });
});

describe('ids', () => {
  const read = makeIdReader('--run-id');

  it('may hold anything that fits one line', () => {
    expect(read('größe/1 (a)')).toBe('größe/1 (a)');
  });

  it('are refused when empty, endless or with control characters', () => {
    for (const value of ['', '  ', 'a\nb', 'x'.repeat(257)]) expect(() => read(value), value).toThrow(invalid);
  });
});

describe('body policies', () => {
  it('are the three there are', () => {
    expect(['none', 'redacted', 'full'].map(readBodyPolicy)).toEqual(['none', 'redacted', 'full']);
    expect(() => readBodyPolicy('all')).toThrow(invalid);
  });
});

describe('lists in variables', () => {
  it('are separated by commas; blanks and empty parts do not count', () => {
    expect(readList('a:1:b:2, c:3:d:4,,')).toEqual(['a:1:b:2', 'c:3:d:4']);
    expect(readList(undefined)).toEqual([]);
  });
});

describe('instants', () => {
  const now = Date.parse('2026-11-21T12:00:00.000Z');

  it('are ages counted back from now', () => {
    expect(readInstant('--before', '30d', now)).toBe('2026-10-22T12:00:00.000Z');
    expect(readInstant('--before', '90m', now)).toBe('2026-11-21T10:30:00.000Z');
  });

  it('are days in local time and full timestamps', () => {
    expect(readInstant('--before', '2026-11-01', now)).toBe(new Date(2026, 10, 1).toISOString());
    expect(readInstant('--before', '2026-11-01T00:00:00Z', now)).toBe('2026-11-01T00:00:00.000Z');
  });

  it('are refused when there is no such day', () => {
    for (const value of ['2026-02-30', 'yesterday', '30', '30y', '']) {
      expect(() => readInstant('--before', value, now), value).toThrow(invalid);
    }
  });
});

describe('sizes', () => {
  it('are decimal, binary, or bytes', () => {
    expect(readSize('--max-size', '500MB')).toBe(500_000_000);
    expect(readSize('--max-size', '1.5 gb')).toBe(1_500_000_000);
    expect(readSize('--max-size', '64MiB')).toBe(67_108_864);
    expect(readSize('--max-size', '1000')).toBe(1000);
  });

  it('are refused without a number or with a unit nobody knows', () => {
    for (const value of ['MB', '-5MB', '5 apples', '1,5GB', '']) {
      expect(() => readSize('--max-size', value), value).toThrow(invalid);
    }
  });
});

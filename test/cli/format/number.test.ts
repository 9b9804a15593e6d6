import { describe, expect, it } from 'vitest';
import {
  addTokenSums,
  formatBytes,
  formatCost,
  formatCostSum,
  formatCount,
  formatPlural,
  formatTokenSum,
} from '../../../src/cli/format/number.js';

describe('counts', () => {
  it('separates thousands and shows the unknown as a dash, not as 0', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatCount(0)).toBe('0');
    expect(formatCount(null)).toBe('–');
  });

  it('takes the singular for one', () => {
    expect([0, 1, 1200].map((count) => formatPlural(count, 'call'))).toEqual(['0 calls', '1 call', '1,200 calls']);
  });
});

describe('token sums', () => {
  it('are exact, lower bounds, or unknown', () => {
    expect(formatTokenSum({ known: 1234, unknownCalls: 0 })).toBe('1,234');
    expect(formatTokenSum({ known: 1234, unknownCalls: 2 })).toBe('≥ 1,234');
    expect(formatTokenSum({ known: null, unknownCalls: 2 })).toBe('–');
  });

  it('add up to unknown only when every part is unknown', () => {
    const unknown = { known: null, unknownCalls: 2 };
    expect(addTokenSums([unknown, { known: 5, unknownCalls: 1 }])).toEqual({ known: 5, unknownCalls: 3 });
    expect(addTokenSums([unknown, unknown])).toEqual({ known: null, unknownCalls: 4 });
  });
});

describe('money', () => {
  it.each([
    [null, '–'],
    [0, '$0.00'],
    [0.0000000004, '<$0.000001'],
    [0.0000124, '$0.000012'],
    [0.00123, '$0.0012'],
    [0.000457, '$0.00046'],
    [0.25, '$0.2500'],
    [0.99996, '$1.0000'],
    [1.5, '$1.50'],
    [1234.567, '$1,234.57'],
    [1234567.8, '$1,234,567.80'],
  ])('%s is %s', (usd, text) => {
    expect(formatCost(usd)).toBe(text);
  });

  it('is exact, a lower bound, or unknown, and never 0 for the last', () => {
    expect(formatCostSum({ known: 0.5, unknownCalls: 0 })).toBe('$0.5000');
    expect(formatCostSum({ known: 0, unknownCalls: 2 })).toBe('≥ $0.00');
    expect(formatCostSum({ known: null, unknownCalls: 2 })).toBe('–');
  });
});

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1_423_000, '1.42 MB'],
    [999_949, '1.00 MB'],
    [56_700_000, '56.7 MB'],
    [1.5e13, '15.0 TB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

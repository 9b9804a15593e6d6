import { describe, expect, it } from 'vitest';
import { makeCallSpanId, makeTraceId, placeSession, readTraceparent } from '../../src/core/trace-ids.js';

describe('the ids of traces', () => {
  it('takes a run’s UUID as it is, and makes one of any other text', () => {
    expect(makeTraceId('6F1C0A3E-26bb-4a39-9c4a-0a1b2c3d4e5f')).toBe('6f1c0a3e26bb4a399c4a0a1b2c3d4e5f');
    expect(makeTraceId('nightly 7')).toMatch(/^[0-9a-f]{32}$/);
    expect(makeTraceId('nightly 7')).toBe(makeTraceId('nightly 7'));
    expect(makeTraceId('00000000-0000-0000-0000-000000000000')).not.toMatch(/^0+$/);
  });

  it('tells 10,000 runs, sessions and calls apart', () => {
    const count = 10_000;
    const sets = [
      (at: number) => makeTraceId(`run ${at}`),
      (at: number) => placeSession({ runId: 'r', sessionId: `sess_${at.toString(16).padStart(12, '0')}` }).spanId,
      (at: number) => makeCallSpanId(`6f1c0a3e-26bb-4a39-9c4a-${at.toString(16).padStart(12, '0')}`),
    ];
    for (const make of sets) {
      const ids = new Set(Array.from({ length: count }, (_, at) => make(at)));
      expect(ids.size).toBe(count);
    }
  });

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', false],
    ['cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like', true],
  ])('reads %s', (value, isSampled) => {
    expect(readTraceparent(value)).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      isSampled,
    });
  });

  it.each([
    undefined,
    '',
    'nonsense',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
  ])('takes no other: %s', (value) => {
    expect(readTraceparent(value)).toBeNull();
  });
});

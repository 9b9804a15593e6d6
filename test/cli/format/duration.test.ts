import { describe, expect, it } from 'vitest';
import { formatDuration, formatTime } from '../../../src/cli/format/duration.js';

describe('durations', () => {
  it.each([
    [null, '–'],
    [0, '0.0 ms'],
    [0.84, '0.8 ms'],
    [9.96, '10 ms'],
    [812.4, '812 ms'],
    [999.6, '1.00 s'],
    [1423, '1.42 s'],
    [9996, '10.0 s'],
    [59_960, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_599_900, '1 h 00 min'],
    [3_840_000, '1 h 04 min'],
  ])('shows %s as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});

describe('instants', () => {
  it('are shown as local time to the second', () => {
    const local = new Date(2026, 10, 21, 6, 2, 3);
    expect(formatTime(local.toISOString())).toBe('2026-11-21 06:02:03');
  });

  it('are shown as they are when they are none', () => {
    expect(formatTime('yesterday')).toBe('yesterday');
  });
});

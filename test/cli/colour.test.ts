import { describe, expect, it } from 'vitest';
import { wantsColour } from '../../src/cli/colour.js';

describe('colour', () => {
  it('is for terminals', () => {
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(false, {})).toBe(false);
    expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
  });

  it('gives way to NO_COLOR before FORCE_COLOR', () => {
    expect(wantsColour(true, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
    expect(wantsColour(true, { NO_COLOR: '' })).toBe(true);
  });

  it('is forced by FORCE_COLOR, and forbidden by its 0', () => {
    expect(wantsColour(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(wantsColour(true, { FORCE_COLOR: '0' })).toBe(false);
  });
});

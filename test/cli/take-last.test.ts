import fc from 'fast-check';
import { expect, it } from 'vitest';
import { takeLast } from '../../src/cli/take-last.js';

it('takes the end of any sequence, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 20 }), (values, count) => {
      expect(takeLast(values, count)).toEqual(values.slice(-count));
    }),
  );
});

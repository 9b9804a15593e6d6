import { expect, it } from 'vitest';
import { readIsForeground } from '../../../src/cli/run/foreground.js';

it.each([
  ['without a terminal', '70 (node) S 1 70 70 0 -1 4194304', false],
  ['in the foreground', '70 (node) S 1 70 60 34816 70 4194304', true],
  ['in the background', '70 (node) S 1 70 60 34816 90 4194304', false],
  ['with a name that looks like fields', '70 (a) S 1 2 (b) S 1 70 60 34816 70 4194304', true],
])('reads a process %s', (_, stat, isForeground) => {
  expect(readIsForeground(stat)).toBe(isForeground);
});

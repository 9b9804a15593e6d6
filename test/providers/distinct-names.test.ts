import { expect, it } from 'vitest';
import { requireDistinctNames } from '../../src/providers/distinct-names.js';

it('refuses a name twice and the name of a built-in provider, and takes others', () => {
  const conflict = expect.objectContaining({ code: 'OPTION_CONFLICT', hint: expect.stringContaining('my-') });
  expect(() => requireDistinctNames([{ name: 'a' }, { name: 'b' }])).not.toThrow();
  expect(() => requireDistinctNames([{ name: 'a' }, { name: 'a' }])).toThrow(conflict);
  expect(() => requireDistinctNames([{ name: 'openai' }])).toThrow(conflict);
});

import { expect, it } from 'vitest';
import { requireDistinctNames } from '../../src/cli/provider-names.js';

it('refuses a name twice and the name of a built-in provider, and takes others', () => {
  const conflict = expect.objectContaining({ code: 'OPTION_CONFLICT', hint: expect.stringContaining('--provider') });
  const builtIn = new Set(['openai']);
  expect(() => requireDistinctNames([{ name: 'a' }, { name: 'b' }], builtIn)).not.toThrow();
  expect(() => requireDistinctNames([{ name: 'a' }, { name: 'a' }], builtIn)).toThrow(conflict);
  expect(() => requireDistinctNames([{ name: 'openai' }], builtIn)).toThrow(conflict);
});

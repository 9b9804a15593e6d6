import { describe, expect, it } from 'vitest';
import { isNothing, makePruneQuestion } from '../../../src/cli/format/prune.js';

const nothing = { matches: 0, total: 340, emptySessions: 0, exceedsSize: false };
const store = { path: '/store.db', bytes: 1_420_000 };

describe('the question before pruning', () => {
  it('names how many of how many', () => {
    expect(makePruneQuestion({ ...nothing, matches: 12 }, {}, store)).toBe(
      'Delete 12 of 340 calls from /store.db (1.42 MB)?',
    );
    expect(makePruneQuestion({ ...nothing, matches: 12 }, { bodiesOnly: true }, store)).toBe(
      'Delete the bodies of 12 of 340 calls from /store.db (1.42 MB)?',
    );
  });

  it('names the size to come down to, and runs that made no call', () => {
    const plan = { ...nothing, exceedsSize: true };
    expect(makePruneQuestion(plan, { maxBytes: 1e6 }, store)).toBe(
      'Delete the oldest of 340 calls until the file has 1.00 MB or less from /store.db (1.42 MB)?',
    );
    expect(makePruneQuestion({ ...plan, matches: 1, emptySessions: 2 }, { maxBytes: 1e6 }, store)).toContain(
      'Delete 1 of 340 calls, then 2 sessions without calls, then more until the file has 1.00 MB or less from ',
    );
  });

  it('is not asked when nothing matches', () => {
    expect(isNothing(nothing)).toBe(true);
    expect(isNothing({ ...nothing, emptySessions: 1 })).toBe(false);
    expect(isNothing({ ...nothing, exceedsSize: true })).toBe(false);
  });
});

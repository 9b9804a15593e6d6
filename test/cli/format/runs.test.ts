import { expect, it } from 'vitest';
import { makePalette } from '../../../src/cli/colour.js';
import { makeRunsFootnote, makeRunsTable } from '../../../src/cli/format/runs.js';
import type { RunRow } from '../../../src/core/ledger.js';

const plain = makePalette({ isTty: false }, {});

const known: RunRow = {
  runId: 'run-7',
  startedAt: '2026-11-21T06:00:00.000Z',
  endedAt: '2026-11-21T06:00:03.000Z',
  command: ['agent'],
  exitCode: 0,
  sessions: 1,
  calls: 2,
  errors: 0,
  models: ['gpt-4o'],
  inputTokens: 10,
  outputTokens: 5,
  unknownUsage: 0,
  costUsd: { known: 0.0123, unknownCalls: 0 },
  cachedCalls: 0,
  savedUsd: { known: null, unknownCalls: 0 },
  configKey: null,
  graphKey: null,
  outcome: null,
};

const note = (...runs: readonly RunRow[]) => makeRunsFootnote(makeRunsTable(runs, plain), runs);

it('tells how many calls came from the cache where some did', () => {
  const titles = (...runs: readonly RunRow[]) => makeRunsTable(runs, plain).columns.map(({ title }) => title);
  expect(titles(known)).not.toContain('from cache');
  expect(titles(known, { ...known, cachedCalls: 2 })).toContain('from cache');
});

it('explains exactly the marks that are in the table of runs', () => {
  expect(note(known)).toBeNull();
  expect(note({ ...known, unknownUsage: 1 })).toBe('≥ is a lower bound: 1 call did not state all tokens.');
  expect(note({ ...known, inputTokens: null, outputTokens: null, unknownUsage: 2 })).toBe(
    '– is not known, or there is none: 2 calls did not state all tokens.',
  );
  expect(note({ ...known, costUsd: { known: 0.1, unknownCalls: 1 } })).toBe('≥ is a lower bound: 1 call has no price.');
  expect(note({ ...known, endedAt: null })).toBe('– is not known, or there is none.');
});

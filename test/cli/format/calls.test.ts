import { expect, it } from 'vitest';
import { makePalette } from '../../../src/cli/colour.js';
import { formatCallPage } from '../../../src/cli/format/call-page.js';
import { makeOutcomeCell } from '../../../src/cli/format/calls.js';
import { makeCall } from '../../storage/records.js';

const plain = makePalette({ isTty: false }, {});

it('tells a call whose stream stated an error from one without', () => {
  const error = { code: 'overloaded_error', message: 'Overloaded' };
  expect(makeOutcomeCell(makeCall(), plain).text).toBe('ok');
  expect(makeOutcomeCell(makeCall({ error }), plain).text).toBe('ok, with error');
  expect(makeOutcomeCell(makeCall({ outcome: 'http_error', status: 429, error }), plain).text).toBe('429');
  expect(formatCallPage(makeCall({ error }), plain)).toMatch(/^call \S+ {2}ok, with error\n/);
});

it('shows what a call cost, from which rates, and why it has no price', () => {
  const rates = { inputTokens: 2.5, cacheWrite1hTokens: 6, webSearches: 10_000, inputSeconds: 100 };
  const basis = { source: 'genai-prices' as const, version: '0.1.8', provider: 'openai', model: 'gpt-4o', rates };
  const page = formatCallPage(
    makeCall({ cost: { usd: 0, problem: null, basis, savedUsd: 0.0123, reportedUsd: 0.02 } }),
    plain,
  );
  const lines = page.slice(page.indexOf('\ncost\n')).split('\n').slice(2, 10);
  expect(lines.map((line) => line.trim().replace(/ {2,}/g, ': '))).toEqual([
    'cost: $0.00',
    'saved by the cache: $0.0123',
    'said by the reply: $0.0200',
    'priced as: openai gpt-4o, genai-prices 0.1.8',
    'input tokens: $2.5 per million',
    'cache write 1h tokens: $6 per million',
    'web searches: $0.01 each',
    'input seconds: $0.0001 each',
  ]);
  const cost = { ...makeCall().cost, problem: 'The price list has no provider mine at this address.' };
  expect(formatCallPage(makeCall({ cost }), plain)).toMatch(
    /\n {2}cost {16}–\n {2}unpriced because {4}The price list has no provider mine/,
  );
});

it('shows each change the tap made in a line of its own', () => {
  const changes = ['request: model set to gpt-4o-mini', 'reply: usage frame hidden'];
  expect(formatCallPage(makeCall({ changes }), plain)).toMatch(
    / {2}changed by llmtap {3}request: model set to gpt-4o-mini\n {22}reply: usage frame hidden\n/,
  );
  expect(formatCallPage(makeCall(), plain)).not.toContain('changed by llmtap');
});

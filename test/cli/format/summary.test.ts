import { describe, expect, it } from 'vitest';
import { makePalette } from '../../../src/cli/colour.js';
import { fitColumns } from '../../../src/cli/format/fit-columns.js';
import { formatSaved, makeFootnote, makeSummaryTable } from '../../../src/cli/format/summary.js';
import { formatTable } from '../../../src/cli/table.js';
import type { ModelSummary } from '../../../src/core/ledger.js';
import { known, makeModel } from '../make-summary.js';

const plain = makePalette({ isTty: false }, {});
const print = (models: readonly ModelSummary[], width: number | null = null) =>
  formatTable(makeSummaryTable(models, plain), plain, width);

const claude = makeModel({
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  calls: 2,
  errors: 1,
  outputTokens: { known: 300, unknownCalls: 1 },
  reasoningTokens: { known: null, unknownCalls: 2 },
  latencyMaxMs: 65_000,
  timeToFirstTokenP50Ms: null,
});

describe('what the cache saved', () => {
  const saved = { inputTokens: known(1000), outputTokens: known(234), usd: known(0.0012), latencyMs: 3200 };

  it('is said where it answered calls, as far as it is known', () => {
    expect(formatSaved([makeModel()])).toBeNull();
    expect(formatSaved([makeModel({ cachedCalls: 3, saved }), claude])).toBe(
      '3 of 14 calls from a cache or recording: 1,234 tokens, $0.0012 and 3.20 s saved.',
    );
    const unknown = { known: null, unknownCalls: 1 };
    const none = { inputTokens: unknown, outputTokens: unknown, usd: unknown, latencyMs: 20 };
    expect(formatSaved([makeModel({ calls: 1, cachedCalls: 1, saved: none })])).toBe(
      '1 of 1 call from a cache or recording: 20 ms saved.',
    );
    expect(
      formatSaved([makeModel({ cachedCalls: 3, saved: { ...saved, usd: { known: 1, unknownCalls: 2 } } })]),
    ).toContain('≥ $1');
  });
});

describe('the summary table', () => {
  it('has one line a model and a total, numbers to the right', () => {
    expect(print([makeModel(), claude]).split('\n')).toEqual([
      'model              provider   calls  errors   input  cached   output  reasoning     cost     p50         max  first token',
      'gpt-4o-mini        openai        12       0  12,345   1,024    2,345        640  $0.0033  812 ms      1.42 s       210 ms',
      'claude-sonnet-4-5  anthropic      2       1  12,345   1,024    ≥ 300          –  $0.0033  812 ms  1 min 05 s            –',
      'total                            14       1  24,690   2,048  ≥ 2,645      ≥ 640  $0.0065          1 min 05 s',
      '',
    ]);
  });

  it('needs no total for one model', () => {
    expect(print([makeModel()])).not.toContain('total');
  });

  it('fits 80 columns and says there what matters most', () => {
    const lines = print([makeModel(), claude], 80).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^model +calls +errors +input +output +cost +p50 +first token$/);
  });

  it('shows cache writes where there are any', () => {
    expect(print([makeModel({ cacheWriteTokens: known(77) })])).toMatch(/cache write.*\n.* 77 /);
    expect(print([makeModel()])).not.toContain('cache write');
  });

  it('names a call without a model', () => {
    expect(print([makeModel({ model: null })])).toContain('(not named)');
  });

  it('colours a model with errors on a terminal only', () => {
    const coloured = makePalette({ isTty: true }, {});
    const text = formatTable(makeSummaryTable([claude], coloured), coloured, 200);
    expect(text).toContain('\u001b[31m1\u001b[39m');
    expect(print([claude])).not.toContain('\u001b');
  });
});

describe('the footnote', () => {
  const unknown = { known: null, unknownCalls: 2 };
  const note = (models: readonly ModelSummary[], width: number | null = null) =>
    makeFootnote(fitColumns(makeSummaryTable(models, plain), width), models);

  it('is left out when nothing in the table needs it', () => {
    expect(note([makeModel()])).toBeNull();
  });

  it('says what each mark means that is there, and how many calls did not state what', () => {
    expect(note([makeModel(), claude])).toBe(
      '≥ is a lower bound; – is not known, or there is none: no reply stated the output of 1 call.',
    );
    const failed = makeModel({ inputTokens: unknown, outputTokens: unknown });
    expect(note([failed, failed])).toBe(
      '– is not known, or there is none: no reply stated the input and output of 4 calls.',
    );
  });

  it('says how many calls have no price', () => {
    const free = makeModel({ costUsd: { known: null, unknownCalls: 1 } });
    expect(note([free])).toBe('– is not known, or there is none: 1 call has no price.');
    expect(note([claude, makeModel({ costUsd: { known: 1.5, unknownCalls: 2 } })])).toMatch(
      /no reply stated the output of 1 call; 2 calls have no price\.$/,
    );
  });

  it('explains marks in other columns, as long as they are printed', () => {
    const direct = makeModel({ timeToFirstTokenP50Ms: null });
    expect(note([direct])).toBe('– is not known, or there is none.');
    expect(note([direct], 60)).toBeNull();
    expect(note([makeModel({ cacheReadTokens: { known: 3, unknownCalls: 1 } })])).toBe('≥ is a lower bound.');
  });
});

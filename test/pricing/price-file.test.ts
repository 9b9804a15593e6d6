import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrackerError } from '../../src/core/errors.js';
import { openPricer } from '../../src/pricing/price-call.js';
import { readPriceFile } from '../../src/pricing/price-file.js';
import { makePriceable } from './priceable.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-prices-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(content: unknown): string {
  const path = join(folder, 'prices.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const priceBy = (models: unknown) => openPricer(readPriceFile(write({ models }))).price;
const local = { provider: 'mine', url: 'http://localhost:8080/v1/chat/completions' };
const usage = { inputTokens: 1000, outputTokens: 100 };

describe("a user's own prices", () => {
  it('price a server of the user', () => {
    // 1000 × 0.5 + 100 × 1.5 = 500 + 150 millionths
    const prices = { 'my-model': { inputPerMillion: 0.5, outputPerMillion: 1.5 } };
    const cost = priceBy(prices)(makePriceable('my-model', usage, local));
    const text = JSON.stringify({ models: prices });
    expect(cost).toEqual({
      usd: 0.00065,
      problem: null,
      basis: {
        source: 'file',
        version: createHash('sha256').update(text).digest('hex').slice(0, 12),
        provider: '*',
        model: 'my-model',
        rates: { inputTokens: 0.5, outputTokens: 1.5 },
      },
      savedUsd: null,
      reportedUsd: null,
    });
  });

  it('win over the list, and leave to it what they do not name', () => {
    const price = priceBy({ 'gpt-4o': { inputPerMillion: 1, outputPerMillion: 1 } });
    expect(price(makePriceable('gpt-4o', usage)).usd).toBe(0.0011);
    expect(price(makePriceable('gpt-4.1', usage)).basis?.source).toBe('genai-prices');
  });

  it('of a provider win over those of any', () => {
    const price = priceBy({ m: { inputPerMillion: 1 }, 'mine/m': { inputPerMillion: 2 } });
    const one = { inputTokens: 1_000_000, outputTokens: 0 };
    expect(price(makePriceable('m', one, local)).usd).toBe(2);
    expect(price(makePriceable('m', one, { ...local, provider: 'other' })).usd).toBe(1);
  });

  it('charge each token once, the cache at its rates', () => {
    // 1000 = 400 + 300 read + 200 written for 5 min + 100 for an hour: 400 × 10 + 300 × 1 + 200 × 12 + 100 × 20
    // + 100 × 50 = 4000 + 300 + 2400 + 2000 + 5000
    const rates = { inputPerMillion: 10, cacheReadPerMillion: 1, cacheWrite5mPerMillion: 12 };
    const price = priceBy({ m: { ...rates, cacheWrite1hPerMillion: 20, outputPerMillion: 50 } });
    const details = { cacheWrite5mTokens: 200, cacheWrite1hTokens: 100 };
    const cached = { ...usage, cacheReadTokens: 300, cacheWriteTokens: 300 };
    expect(price(makePriceable('m', cached, { ...local, details })).usd).toBe(0.0137);
  });

  it('charge the cache as input where they have no rate for it', () => {
    const price = priceBy({ m: { inputPerMillion: 10, outputPerMillion: 0 } });
    const cached = { ...usage, cacheReadTokens: 300, cacheWriteTokens: 300 };
    expect(price(makePriceable('m', cached, { ...local, details: { cacheWrite1hTokens: 100 } })).usd).toBe(0.01);
  });

  it('charge requests and searches by the piece', () => {
    const searches = { perWebSearch: 0.005, perFileSearch: 0.001 };
    const price = priceBy({ m: { inputPerMillion: 0, outputPerMillion: 0, perRequest: 0.01, ...searches } });
    const details = { webSearches: 2, fileSearches: 3 };
    expect(price(makePriceable('m', usage, { ...local, details })).usd).toBe(0.023);
  });

  it('hold from their day on, in whatever order they are given', () => {
    const price = priceBy({ m: [{ inputPerMillion: 2, from: '2026-11-01' }, { inputPerMillion: 1 }] });
    const on = (startedAt: string) =>
      price(makePriceable('m', { inputTokens: 1_000_000, outputTokens: 0 }, { ...local, startedAt })).usd;
    expect([on('2026-10-31T23:59:59.999Z'), on('2026-11-01T00:00:00.000Z')]).toEqual([1, 2]);
  });

  it('leave to the list the days before them', () => {
    const price = priceBy({ 'gpt-4o': { inputPerMillion: 2, from: '2027-01-01' } });
    expect(price(makePriceable('gpt-4o', usage)).basis?.source).toBe('genai-prices');
  });

  it('have tiers of their own', () => {
    const price = priceBy({ m: { inputPerMillion: 2, tiers: { Flex: { inputPerMillion: 1 } } } });
    const by = (serviceTier: string) =>
      price(makePriceable('m', { inputTokens: 1_000_000, outputTokens: 0 }, { ...local, serviceTier }));
    expect([by('default').usd, by('flex').usd, by('priority').usd]).toEqual([2, 1, null]);
    expect(by('priority').problem).toContain('service tier priority');
    expect(by('constructor').usd).toBe(null);
  });

  it('are a price of 0 when they say 0, and none when they do not say', () => {
    const free = priceBy({ m: { inputPerMillion: 0, outputPerMillion: 0 } });
    expect(free(makePriceable('m', usage, local)).usd).toBe(0);
    const half = priceBy({ m: { inputPerMillion: 1 } });
    expect(half(makePriceable('m', usage, local))).toMatchObject({
      usd: null,
      problem: expect.stringContaining('output tokens of m'),
    });
    const unknown = free(makePriceable('m', { inputTokens: 5 }, local));
    expect(unknown).toMatchObject({ usd: null, problem: 'The output tokens of the call are not known.' });
  });
});

it('reads the example of the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```json\n(\{\n {2}"models"[\s\S]*?)```/.exec(readme) ?? [];
  const { price } = openPricer(readPriceFile(write(example)));
  const million = { inputTokens: 1_000_000, outputTokens: 0 };
  const on = (startedAt: string, serviceTier: string | null) =>
    price(makePriceable('gpt-5', million, { startedAt, serviceTier })).usd;
  expect([on('2026-11-27T00:00:00.000Z', 'flex'), on('2027-01-01T00:00:00.000Z', null)]).toEqual([0.5, 0.9]);
});

const bad: readonly (readonly [what: string, says: string, content: unknown])[] = [
  ['no JSON', 'it is no JSON', '{ models'],
  ['a list', 'the file is no object', []],
  ['without models', 'it has no "models"', {}],
  ['with more than models', '"model"', { models: {}, model: {} }],
  ['models that are a list', '"models" is no object', { models: [] }],
  ['a model that is a number', '"m" is no object', { models: { m: 5 } }],
  ['a model without a price', '"m" has no price', { models: { m: {} } }],
  ['a model with an empty list', '"m" has an empty list', { models: { m: [] } }],
  ['a slip of the pen', '"inputPerMilion"', { models: { m: { inputPerMilion: 1 } } }],
  ['a price below 0', '"inputPerMillion" of "m"', { models: { m: { inputPerMillion: -1 } } }],
  ['a price that is a text', '"outputPerMillion" of "m"', { models: { m: { outputPerMillion: '1' } } }],
  ['a day that is none', '"from" of "m"', { models: { m: { inputPerMillion: 1, from: 'soon' } } }],
  ['a tier without a price', 'the tier "flex" of "m"', { models: { m: { inputPerMillion: 1, tiers: { flex: {} } } } }],
  ['too large', '1048576 are the most', ' '.repeat(1024 * 1024 + 1)],
];

describe('a price file that cannot be used', () => {
  it.each(bad)('is one error that says where: %s', (_what, says, content) => {
    const path = write(content);
    const error = failToRead(path);
    expect(error).toMatchObject({ code: 'PRICES_INVALID' });
    expect(error.message).toContain(says);
    expect(error.message).toContain(path);
    expect(error.hint).toContain('"models"');
  });

  it('is one that is not there, or a folder', () => {
    expect(failToRead(join(folder, 'none.json')).message).toContain('no such file');
    expect(failToRead(folder).message).toContain('no regular file');
  });
});

function failToRead(path: string): TrackerError {
  try {
    readPriceFile(path);
  } catch (error) {
    if (error instanceof TrackerError) return error;
    throw error;
  }
  throw new Error('The file was read.');
}

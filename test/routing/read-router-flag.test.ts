import { describe, expect, it } from 'vitest';
import { MAKERS } from '../../src/routing/makers.js';
import { readRouterFlag } from '../../src/routing/read-router-flag.js';

const described = (text: string) => {
  const flag = readRouterFlag(text);
  if (flag.kind !== 'described') throw new Error(`${text} is ${flag.kind}`);
  return flag.description;
};

const written: readonly (readonly [text: string, options: Readonly<Record<string, unknown>>])[] = [
  ['random:gpt-4o,gpt-4o-mini@42', { candidates: ['gpt-4o', 'gpt-4o-mini'], seed: '42' }],
  ['random:gpt-4o, gpt-4o-mini', { candidates: ['gpt-4o', 'gpt-4o-mini'] }],
  ['random:llama3:8b,openai/gpt-4o@blue', { candidates: ['llama3:8b', 'openai/gpt-4o'], seed: 'blue' }],
  ['fixed:gpt-4o-mini', { model: 'gpt-4o-mini' }],
  ['fixed:claude-sonnet-4@20250514@', { model: 'claude-sonnet-4@20250514' }],
  ['roundRobin:a,b,c', { candidates: ['a', 'b', 'c'] }],
  [
    'weighted:a=3,b=0.5,c@7',
    {
      candidates: [
        { choice: 'a', weight: 3 },
        { choice: 'b', weight: 0.5 },
        { choice: 'c', weight: 1 },
      ],
      seed: '7',
    },
  ],
  ['firstCall:big,small', { first: 'big', rest: 'small' }],
  ['firstCall:big,small@3', { first: 'big', rest: 'small', calls: 3 }],
  ['byLength:small,big@4000', { short: 'small', long: 'big', chars: 4000 }],
  ['fallback:a,b@2500', { candidates: ['a', 'b'], timeoutMs: 2500 }],
  ['epsilonGreedy:a,b@1', { candidates: ['a', 'b'], seed: '1' }],
  ['thompson:a,b', { candidates: ['a', 'b'] }],
];

describe('a router on the command line', () => {
  it.each(written)('is read out of %s', (text, options) => {
    expect(described(text)).toEqual({ name: text.split(':', 1)[0], options });
  });

  it('can be any of ours', () => {
    const names = new Set(written.map(([text]) => text.split(':', 1)[0]));
    expect([...names].toSorted((a = '', b = '') => a.localeCompare(b))).toEqual(
      Object.keys(MAKERS).toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it('can be the whole description, as JSON', () => {
    const description = { name: 'fixed', options: { model: { model: 'm', provider: 'groq' } } };
    expect(described(JSON.stringify(description))).toEqual(description);
  });

  it.each(['./mine.mjs', '../mine.cjs', '/opt/mine.js', 'mine.mjs', 'C:\\routers\\mine.mjs', './mine'])(
    'is a module by its path: %s',
    (path) => {
      expect(readRouterFlag(path)).toEqual({ kind: 'module', path });
    },
  );

  it('is none at all by its word', () => {
    expect(readRouterFlag('none')).toEqual({ kind: 'none' });
  });

  it.each([
    ['gpt-4o', /names no router/],
    ['', /names no router/],
    ['best:a,b', /names no router/],
    ['constructor:a', /names no router/],
    ['random', /is not as random:A,B,…\[@SEED\]/],
    ['random:', /is not as random/],
    ['random:a,,b', /is not as random/],
    ['fixed:a,b', /is not as fixed:A/],
    ['roundRobin:a,b@42', /is not as roundRobin/],
    ['firstCall:a', /is not as firstCall/],
    ['byLength:a,b', /it has no chars/],
    ['byLength:a,b@many', /chars "many"/],
    ['fallback:a,b@soon', /timeoutMs "soon"/],
    ['weighted:a=much', /weight/],
    ['{"name":"random","options":{}}', /it has no candidates/],
  ])('that cannot be is refused, with what would do: %s', (text, problem) => {
    const invalid = expect.objectContaining({ code: 'OPTION_INVALID', hint: expect.any(String) });
    expect(() => readRouterFlag(text)).toThrow(invalid);
    expect(() => readRouterFlag(text)).toThrow(problem);
  });

  it('is never quoted where it may hold a key', () => {
    const text = '{"name":"fixed","options":{"model":{"model":"m","apiKey":"sk-canary-123"}}';
    expect(() => readRouterFlag(text)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(() => readRouterFlag(text)).not.toThrow(/canary/);
  });
});

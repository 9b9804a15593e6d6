import { expect, it } from 'vitest';
import { readRouteAnswer } from '../../src/core/route-answer.js';

it.each<readonly [unknown, unknown]>([
  [null, null],
  [undefined, null],
  ['small', { model: 'small' }],
  [
    { model: 'small', provider: 'groq', apiKey: 'k' },
    { model: 'small', provider: 'groq', apiKey: 'k' },
  ],
  [
    { model: 'a', provider: 'google-vertex', region: 'us-east5', project: 'mine' },
    { model: 'a', provider: 'google-vertex', region: 'us-east5', project: 'mine' },
  ],
  [
    { model: 'a', fallbacks: ['b', { model: 'c' }], timeoutMs: 9 },
    { model: 'a', fallbacks: ['b', { model: 'c' }], timeoutMs: 9 },
  ],
])('%j is an answer', (answer, decision) => {
  expect(readRouteAnswer(answer)).toEqual({ ok: true, decision });
});

it.each<readonly [unknown, string]>([
  ['', 'an empty name'],
  ['x'.repeat(257), 'a name of 257 characters'],
  ['gpt-\ud800', 'a name that is no text'],
  [42, 'a value of type number'],
  [['a'], 'an array'],
  [{}, 'an object without the name of a model'],
  [{ model: ' ' }, 'an empty name'],
  [{ model: 'a', provider: 7 }, 'a provider that is no name'],
  [{ model: 'a', apiKey: 'two\r\nlines' }, 'an apiKey that no header can carry'],
  [{ model: 'a', region: 1 }, 'a region that is no name'],
  [{ model: 'a', project: '' }, 'a project that is no name'],
  [{ model: 'a', timeoutMs: -1 }, 'a timeoutMs that is no number of milliseconds'],
  [{ model: 'a', fallbacks: 'b' }, 'fallbacks that are no list'],
  [{ model: 'a', fallbacks: [{ model: 'b', fallbacks: [] }] }, 'a fallback that is one with fallbacks of its own'],
  [{ model: 'a', fallbacks: Array.from({ length: 17 }, () => 'b') }, '17 fallbacks, where 16 are the most'],
])('%j is none', (answer, problem) => {
  expect(readRouteAnswer(answer)).toEqual({ ok: false, problem });
});

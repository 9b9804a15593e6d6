import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasNothingToRedact } from '../../src/call/redaction-clean.js';
import { redactFrameLines, redactLines } from '../../src/call/redaction-lines.js';
import { collectSecrets } from '../../src/call/secrets.js';
import { TextAhead } from '../../src/call/text-ahead.js';

const known = 'canary-known-secret-value';
const shaped = 'sk-proj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ';
const secrets = collectSecrets({ requestHeaders: ['x-api-key', known], url: '' });
const redactions = [
  { secrets, keepsMedia: false },
  { secrets, keepsMedia: true },
];

const plain = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'word',
    'a "quoted" text',
    'line\nbreak',
    'back\\slash',
    'größe 🙂',
    'the api_key of',
    '0123456789'.repeat(4),
  ),
  fc.string({ maxLength: 30 }),
);
/** Whole, or what one frame has of it. */
const secret = fc
  .tuple(
    fc.constantFrom(known, shaped, 'Bearer abcdefgh12345678', 'data:image/png;base64,iVBORw0KGgo='),
    fc.nat(40),
    fc.nat(40),
  )
  .map(([text, from, length]) => (from > 30 ? text : text.slice(from, from + length)));
const text = fc.oneof({ arbitrary: plain, weight: 12 }, { arbitrary: secret, weight: 1 });
const frame = fc
  .tuple(text, text, fc.nat(3), fc.nat())
  .map(([one, two, shape, number]) =>
    shape === 0
      ? { type: 'response.output_text.delta', sequence_number: number, delta: one, obfuscation: two }
      : shape === 1
        ? { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: one } }
        : shape === 2
          ? { choices: [{ index: 0, delta: { content: one } }], id: 'c' }
          : { type: 'ping', note: two },
  );
const line = fc.oneof(
  { arbitrary: frame.map((value) => `data: ${JSON.stringify(value)}`), weight: 8 },
  { arbitrary: frame.map((value) => `data:${JSON.stringify(value, null, 1).replaceAll('\n', '')}`), weight: 1 },
  { arbitrary: frame.map((value) => JSON.stringify(value)), weight: 1 },
  { arbitrary: frame.map((value) => `event: ${value.type ?? 'x'}`), weight: 3 },
  { arbitrary: text.map((value) => `: ${value}`), weight: 1 },
  { arbitrary: fc.constant('data: [DONE]'), weight: 1 },
);
const stream = fc
  .tuple(
    fc.array(fc.tuple(line, fc.constantFrom('\n', '\n\n', '\n\n', '\r\n\r\n')), { maxLength: 40 }),
    fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, { arbitrary: fc.nat(60), weight: 1 }),
  )
  .map(([lines, cut]) => {
    const whole = lines.map(([said, end]) => said + end).join('');
    return whole.slice(0, whole.length - cut);
  });

function makeStream(texts: readonly string[]): string {
  return texts.map((content, i) => `event: delta\ndata: ${JSON.stringify({ i, delta: { content } })}\n\n`).join('');
}

describe('hasNothingToRedact', () => {
  it('never says so of a stream of which something is redacted', () => {
    let clean = 0;
    let dirty = 0;
    fc.assert(
      fc.property(stream, (body) => {
        for (const redaction of redactions) {
          const kept = redactLines(body, redaction);
          if (kept === body) clean++;
          else dirty++;
          expect(redactFrameLines(body, redaction)).toBe(kept);
          if (kept !== body) expect(hasNothingToRedact(body, redaction)).toBe(false);
        }
      }),
      { numRuns: 1500 },
    );
    expect([clean > 200, dirty > 200]).toEqual([true, true]);
  });

  it('says so of what agents say all day', () => {
    for (const redaction of redactions) {
      expect(hasNothingToRedact(makeStream(Array.from({ length: 300 }, (_, i) => ` word${i}`)), redaction)).toBe(true);
      expect(hasNothingToRedact(makeStream(['a "quote"', 'a\nbreak', 'größe']), redaction)).toBe(true);
      expect(hasNothingToRedact('', redaction)).toBe(true);
    }
  });

  it.each([
    ['in one frame', [shaped]],
    ['cut over frames', [shaped.slice(0, 9), shaped.slice(9, 20), shaped.slice(20)]],
    ['told by a name in the frame before', ['{"api_key', '":"zq8Jk29sLmQ0x7Vb"}', ' and on']],
  ])('sees a secret %s, among many of the same shape', (_, pieces) => {
    const words = Array.from({ length: 60 }, (__, i) => ` word${i}`);
    const body = makeStream([...words, ...pieces, ...words]);
    expect(hasNothingToRedact(body, { secrets, keepsMedia: true })).toBe(false);
    expect(redactFrameLines(body, { secrets, keepsMedia: true })).not.toContain(
      pieces.at(-1) === ' and on' ? 'zq8Jk29' : shaped.slice(0, 9),
    );
  });

  it.each([
    ['in a comment between frames', `: ${known}\n`],
    ['over lines that are no frames', `id: api_key:\nid: ${shaped}\n`],
  ])('sees a secret %s', (_, between) => {
    const body = makeStream(['a', 'b', 'c']) + between + makeStream(['d']);
    expect(hasNothingToRedact(body, { secrets, keepsMedia: true })).toBe(false);
  });

  it.each(['data:  ', 'data:\t', ' ', '\ufeffdata: '])('sees a secret cut over lines that begin with %j', (before) => {
    const told = (text: string) => `${before}{"i":1,"delta":"${text}"}\n\n`;
    const body = told('a') + told(shaped.slice(0, 12)) + told(shaped.slice(12)) + told(' and on');
    expect(hasNothingToRedact(body, { secrets, keepsMedia: true })).toBe(false);
    const kept = redactFrameLines(body, { secrets, keepsMedia: true });
    expect(kept).not.toContain(shaped.slice(12));
    expect(kept.startsWith(told('a'))).toBe(true);
  });

  it('sees a secret of which a line has a part that is no JSON, and fits a frame that came later', () => {
    const told = (text: string) => `data: {"i":1,"delta":"${text}"}\n\n`;
    const other = (text: string) => `data: {"other":1,"delta":"${text}"}\n\n`;
    // A tab as it is: not JSON, though a client may take it.
    const unparsed = other(`\t${shaped.slice(0, 12)}`);
    const learned = told('a') + told('b') + unparsed + told('c') + other('d');
    const body = learned + told('e') + unparsed + told(shaped.slice(12)) + told(' and on');
    for (const redaction of redactions) {
      expect(hasNothingToRedact(body, redaction)).toBe(false);
      expect(redactFrameLines(body, redaction)).not.toContain(shaped.slice(12));
    }
  });

  it('leaves a last line that was cut to be left out', () => {
    const body = makeStream(['a', 'b', 'c']);
    expect(hasNothingToRedact(body.slice(0, -6), { secrets, keepsMedia: true })).toBe(false);
    expect(redactFrameLines(body.slice(0, -6), { secrets, keepsMedia: true })).toMatch(/data: \[cut\]$/);
  });
});

describe('TextAhead', () => {
  it('finds what is next from wherever it is asked', () => {
    const parts = fc.string({ unit: fc.constantFrom('a', 'b', '\\', '\n', '\r'), maxLength: 40 });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(45), { maxLength: 20 }), (body, places) => {
        const ahead = new TextAhead(body, ['\\', '\n', '\r']);
        for (const from of places) {
          const at = body.slice(from).search(/[\\\n\r]/);
          expect(ahead.find(from)).toBe(at < 0 ? body.length : from + at);
        }
      }),
      { numRuns: 500 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { redactBody } from '../../src/call/redaction.js';
import { type FrameTemplate, lookAhead, makeTemplate } from '../../src/call/redaction-templates.js';
import { collectSecrets } from '../../src/call/secrets.js';

const known = 'canary-known-secret-value';
const secrets = collectSecrets({ requestHeaders: ['x-api-key', known], url: '' });

function makeFrame(delta: string, i: number): string {
  return JSON.stringify({ type: 'd', sequence_number: i, index: 0, delta, obfuscation: 'x'.repeat(i % 7) });
}

function learn(line: string, name: string, original: string): FrameTemplate | null {
  return makeTemplate(line, [{ channel: name, name, original, replace: () => undefined }]);
}

/** What the line has in the holes; `null` when it does not fit. */
function read(template: FrameTemplate | null, line: string): string[] | null {
  // Lines stand among others.
  const text = `before\n${line}\ndata: {"i":9,"delta":"after"}`;
  if (template === null || template.match(lookAhead(text), 7) !== 7 + line.length) return null;
  return template.channels.map((_, i) => template.values[i] ?? '');
}

function redact(text: string): string {
  const kept = redactBody({ text, contentType: 'text/event-stream', policy: 'redacted', secrets });
  return typeof kept === 'string' ? kept : JSON.stringify(kept);
}

describe('a secret that is told by a name alone', () => {
  it.each([
    ['short', 'zq8Jk29sLmQ0x7Vb'],
    ['long', 'zq8Jk29sLmQ0x7Vbzq8Jk29sLmQ0x7Vb'],
  ])('is masked where its name came in the frame before, and it is %s', (_, value) => {
    for (const before of [[], ['warm ', 'up ', 'again ']]) {
      const deltas = [...before, '{"api_key', `":"${value}"}`, ' and on'];
      const kept = redact(deltas.map((delta, i) => `data: ${makeFrame(delta, i)}\n\n`).join(''));
      expect(kept).not.toContain(value.slice(0, 10));
      expect(kept).toContain('[redacted:api-key]');
    }
  });
});

describe('makeTemplate', () => {
  it('reads what varies in `data: {"i":8,"delta":"lo"}` by a template of `data: {"i":7,"delta":"Hel"}`', () => {
    const template = learn('data: {"i":7,"delta":"Hel"}', 'delta', 'Hel');
    const line = 'data: {"i":8,"delta":"lo"}';
    expect(read(template, line)).toEqual(['', 'lo']);
    expect(template?.write(line, new Map([[1, 'a"\n']]))).toBe(String.raw`data: {"i":8,"delta":"a\"\n"}`);
  });

  it('decodes escapes and finds the quote that ends the string', () => {
    const template = learn('{"text":""}', 'text', '');
    for (const text of ['a"b', '\\', '\\"', '\n', 'é', '\u2028']) {
      expect(read(template, JSON.stringify({ text }))).toEqual([text]);
    }
  });

  it('fits no line of another shape', () => {
    const template = learn('{"index":1,"n":2,"text":"a"}', 'text', 'a');
    for (const line of [
      ...['', '{"index":2,"n":2,"text":"a"}', '{"index":1,"n":-2,"text":"a"}', '{"index":1,"n":,"text":"a"}'],
      ...['{"index":1,"n":2,"text":"a","b":"c"}', '{"index":1,"n":2,"text":"a"} ', '{"index":1,"n":2,"text":"a'],
      String.raw`{"index":1,"n":2,"text":"\x"}`,
    ]) {
      expect(read(template, line)).toBeNull();
    }
  });

  it('makes none where the piece is not what stands in the line', () => {
    expect(learn('{"text":"b","text":"a"}', 'text', 'a')).toBeNull();
    expect(learn('{"other":"a"}', 'text', 'a')).toBeNull();
  });
});

describe('frames of one shape', () => {
  it('lose a secret told one character a frame, and nothing else', () => {
    const told = `so: ${known} and "on"\n`;
    const stream = told
      .split('')
      .map((text, i) => `data: ${makeFrame(text, i)}\n\n`)
      .join('');
    const kept = redact(stream);
    const frames = kept.split('\n\n').filter((line) => line !== '');
    const deltas = frames.map((line) => (JSON.parse(line.slice(6)) as { delta: string }).delta);
    expect(deltas.join('')).toBe('so: [redacted:secret] and "on"\n');
    expect(frames).toHaveLength(told.length);
  });

  it('lose a secret one of them holds whole, once, short or long', () => {
    for (const text of [known, `x ${known} y ${'z'.repeat(50)}`]) {
      const lines = [...Array.from({ length: 20 }, (_, i) => makeFrame(' word', i)), makeFrame(text, 20)];
      expect(redact(lines.map((line) => `data: ${line}\n\n`).join(''))).not.toContain(known);
    }
  });

  it('lose a secret that each of them repeats outside of what it tells', () => {
    const line = (content: string): string => `data: {"echo":"${known}","delta":{"content":"${content}"}}\n\n`;
    expect(redact(line('a').repeat(9) + line('b'))).not.toContain(known);
  });

  it('stay the very text when nothing is found in a megabyte, in a small part of a second', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `data: ${makeFrame(` word${i}`, i)}\n\n`).join('');
    redact(lines);
    const before = process.cpuUsage();
    expect(redact(lines)).toBe(lines);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
  });
});

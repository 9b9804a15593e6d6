import { describe, expect, it } from 'vitest';
import { cutText, readableBlock, readableLine, wrapText } from '../../../src/cli/format/text.js';

describe('text from the wire', () => {
  it('cannot send escape sequences to the terminal', () => {
    expect(readableLine('gpt\u001b[2J\u009b31m')).toBe('gpt\\u{1b}[2J\\u{9b}31m');
  });

  it('cannot turn the direction of a line', () => {
    expect(readableLine('a\u202egpj.b')).toBe('a\\u{202e}gpj.b');
  });

  it('stays on one line, or keeps its lines, as asked', () => {
    expect(readableLine('a\r\nb\tc\nd')).toBe('a b c d');
    expect(readableBlock('a\r\nb\tc')).toBe('a\nb\tc');
    expect(readableBlock('50%\r100%')).toBe('50%\\u{d}100%');
  });

  it('keeps letters of every script and joined emoji', () => {
    expect(readableLine('größe 模型 👩‍💻')).toBe('größe 模型 👩‍💻');
  });
});

describe('cutting', () => {
  it('marks what was cut and never splits a surrogate pair', () => {
    expect(cutText('claude', 6)).toBe('claude');
    expect(cutText('claude-x', 6)).toBe('claud…');
    expect(cutText('👍👍👍', 2)).toBe('👍…');
  });
});

describe('wrapping', () => {
  it('breaks at spaces, indents, and leaves a long word whole', () => {
    expect(wrapText('one two three', 9, '  ')).toBe('  one two\n  three');
    expect(wrapText('see https://example.test/a/b', 10)).toBe('see\nhttps://example.test/a/b');
  });

  it('hangs the lines of a list item below its text', () => {
    expect(wrapText('- one two three', 10, ' ')).toBe(' - one two\n   three');
  });

  it('keeps together what a no-break space joins', () => {
    expect(wrapText('give --with\u00a0java now', 13)).toBe('give\n--with java\nnow');
  });
});

import { describe, expect, it } from 'vitest';
import { type FilteredPart, UsageFrameFilter } from '../../../src/providers/wire/usage-frames.js';

describe('UsageFrameFilter', () => {
  const usage = '{"prompt_tokens":1,"completion_tokens":2}';

  function filterParts(parts: readonly Buffer[]): string {
    const filter = new UsageFrameFilter();
    const out = parts.map((part) => Buffer.from(filter.write(part)));
    return Buffer.concat([...out, filter.end()]).toString();
  }

  const streams: readonly (readonly [string, string, string])[] = ['\n', '\r\n', '\r'].map((eol) => [
    JSON.stringify(eol),
    [
      `\ufeffdata: {"choices":[{"delta":{"content":"the \\"usage\\":null 🙂"}}],"usage":null}`,
      '',
      ': "usage" ping',
      '',
      `event: x${eol}data:{"choices": [], "usage": null, "prompt_filter_results": []}`,
      '',
      `data: {"usage":null,"choices":[]}`,
      '',
      `data: {"choices":[{"delta":{"usage":null}}]}`,
      '',
      `data: {"choices":[]`,
      `data: ,"usage":`,
      `data: null}`,
      '',
      `data: {"id":"1","choices":[ ],`,
      `data: "usage":${usage}}`,
      '',
      'data: [DONE]',
      '',
      '',
    ].join(eol),
    [
      `\ufeffdata: {"choices":[{"delta":{"content":"the \\"usage\\":null 🙂"}}]}`,
      '',
      ': "usage" ping',
      '',
      `event: x${eol}data:{"choices": [], "prompt_filter_results": []}`,
      '',
      `data: {"choices":[]}`,
      '',
      `data: {"choices":[{"delta":{"usage":null}}]}`,
      '',
      `data: {"choices":[]}`,
      '',
      'data: [DONE]',
      '',
      '',
    ].join(eol),
  ]);

  it.each(streams)('hides what was asked for with line ends %s, cut at any byte', (_eol, asked, expected) => {
    const bytes = Buffer.from(asked);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(filterParts([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toBe(expected);
    }
    expect(filterParts(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toBe(expected);
  });

  it('passes each frame on as soon as it is whole', () => {
    const filter = new UsageFrameFilter();
    expect(filter.write(Buffer.from('data: {"choices":[]}\n\n')).toString()).toBe('data: {"choices":[]}\n\n');
    expect(filter.write(Buffer.from('data: {"cho')).toString()).toBe('');
    expect(filter.write(Buffer.from('ices":[]}\r\n\r\ndata')).toString()).toBe('data: {"choices":[]}\r\n\r\n');
    expect(filter.end().toString()).toBe('data');
  });

  describe.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('with line ends %s', (_, eol) => {
    it('passes keep-alive comments on at once, without a blank line', () => {
      const filter = new UsageFrameFilter();
      for (const line of [`\ufeff: first${eol}`, `: keepalive${eol}`, `:${eol}`])
        expect(filter.write(Buffer.from(line)).toString()).toBe(line);
      expect(filter.write(Buffer.from(': in two')).toString()).toBe('');
      expect(filter.write(Buffer.from(` pieces${eol}`)).toString()).toBe(`: in two pieces${eol}`);
      const frame = `data: {"choices":[],"usage":${usage}}${eol}${eol}`;
      expect(filter.write(Buffer.from(`${frame}: after${eol}`)).toString()).toBe(`: after${eol}`);
      expect(filter.end().toString()).toBe('');
      expect(filter.hidden).toBe(true);
    });

    it('keeps comments in their place within a frame that is held', () => {
      const filter = new UsageFrameFilter();
      const parts = [`event: x${eol}`, `: ping${eol}`, `data: {"a":1${eol}`, `: ping${eol}`, `data: }${eol}`];
      for (const part of parts) expect(filter.write(Buffer.from(part)).toString()).toBe('');
      expect(filter.write(Buffer.from(eol)).toString().trimEnd()).toBe(parts.join('').trimEnd());
    });

    it('passes a line on at once whose data begin no object, and the rest of its frame', () => {
      const filter = new UsageFrameFilter();
      expect(filter.write(Buffer.from(`id: 1${eol}data: `)).toString()).toBe('');
      expect(filter.write(Buffer.from(`[DONE]${eol}`)).toString()).toBe(`id: 1${eol}data: [DONE]${eol}`);
      expect(filter.write(Buffer.from(`data: "usage"${eol}`)).toString()).toBe(`data: "usage"${eol}`);
      expect(filter.write(Buffer.from(`${eol}data:  {"usage":null}${eol}${eol}`)).toString()).toBe(
        `${eol}data:  {}${eol}${eol}`,
      );
    });
  });

  it('takes a byte order mark for one at the start only', () => {
    const filter = new UsageFrameFilter();
    expect(filter.write(Buffer.from('\ufeff: a\n\ufeffdata: [1]\n')).toString()).toBe('\ufeff: a\n');
    expect(filter.write(Buffer.from('\n')).toString()).toBe('\ufeffdata: [1]\n\n');
  });

  it('tells what it took out', () => {
    const parts: FilteredPart[] = [];
    const filter = new UsageFrameFilter((part) => parts.push(part));
    filter.write(Buffer.from('data: {"choices":[],"usage":null}\n\n'));
    expect([filter.hidden, filter.memberHidden]).toEqual([false, true]);
    filter.write(Buffer.from(`data: {"choices":[],"usage":${usage}}\n\n`));
    expect(filter.hidden).toBe(true);
    expect(parts).toEqual(['member', 'frame']);
    const other = new UsageFrameFilter();
    other.write(Buffer.from(`data: {"choices":[],"usage":${usage}}\n\n`));
    expect([other.hidden, other.memberHidden]).toEqual([true, false]);
  });

  it('leaves usage beside choices, without choices or of another shape', () => {
    for (const data of [
      `{"choices":[{}],"usage":${usage}}`,
      `{"usage":${usage}}`,
      '{"choices":[],"usage":[]}',
      '{"choices":null,"usage":{}}',
      '{"choices":[],"x":{"usage":null}}',
      '{"choices":[],"usage":null',
      'the "usage" is',
    ]) {
      expect(filterParts([Buffer.from(`data: ${data}\n\n`)]), data).toBe(`data: ${data}\n\n`);
    }
  });

  const usual = [
    '{"choices":[{"delta":{"content":"a"}}],"usage":null}',
    '{"choices":[{"delta":{"content":"the \\"usage\\":null}"}}],"usage":null,"obfuscation":"aB3-_+/="}',
    '{"choices":[{"delta":{"content":"\\\\"}}]}',
    '{"choices":[],"x":{"y":1,"usage":null}}',
    '{"usage":null,"choices":[],"usage":null}',
    '{"choices":["x","usage"],"usage":null}',
    '{"choices":[],"usage":null,"obfuscation":"\\u0061"}',
    '{"choices":[], "usage":null }',
    `{"choices":[],"usage":${usage}}`,
    `{"choices":[{}],"usage":${usage}}`,
  ];

  it.each(usual)('makes the same of a frame that comes in one chunk as of one that comes in two: %s', (data) => {
    for (const around of [
      (frame: string) => frame,
      (frame: string) => `event: x\n${frame}`,
      (frame: string) => `${frame}: ping\n`,
    ]) {
      const before = Buffer.from('data: {"choices":[]}\r\n\r');
      const whole = Buffer.from(around(`data: ${data}\n\n`));
      const inOne = filterParts([before, Buffer.from('\n'), whole, whole]);
      const inTwo = filterParts([
        before,
        Buffer.from('\n'),
        ...[whole, whole].flatMap((frame) => [frame.subarray(0, 9), frame.subarray(9)]),
      ]);
      expect(inOne).toBe(inTwo);
      const members = JSON.parse(data) as Record<string, unknown>;
      expect(inOne.includes(',"usage":null}\n') || inOne.includes(',"usage":null,"obf')).toBe(false);
      if ('obfuscation' in members && members.usage !== undefined) expect(inOne).toContain('"obfuscation"');
    }
  });

  it('hides the frame also when the stream ends without its blank line', () => {
    expect(filterParts([Buffer.from(`data: {"choices":[],"usage":${usage}}`)])).toBe('');
    expect(filterParts([Buffer.from(`data: {"choices":[],"usage":${usage.slice(0, 9)}`)])).toBe(
      `data: {"choices":[],"usage":${usage.slice(0, 9)}`,
    );
  });

  it('passes a frame over 1 MiB on unread, within bounded memory, and reads the next', () => {
    const filter = new UsageFrameFilter();
    let passed = filter.write(Buffer.from('data: {"usage":null,"x":"')).length;
    const part = Buffer.alloc(64 * 1024, 'x');
    for (let sent = 0; sent < 64; sent++) passed += filter.write(part).length;
    expect(passed).toBe(25 + 64 * part.length);
    expect(filter.write(Buffer.from('"}\n\ndata: {"a":1,"usage":null}\n\n')).toString()).toBe(
      '"}\n\ndata: {"a":1}\n\n',
    );
  });
});

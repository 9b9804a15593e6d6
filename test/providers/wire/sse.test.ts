import { createParser } from 'eventsource-parser';
import { describe, expect, it } from 'vitest';
import { type SseEvent, SseReader } from '../../../src/providers/wire/sse.js';

function readParts(parts: readonly Uint8Array[]): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = new SseReader((event) => events.push(event));
  for (const part of parts) reader.write(part);
  reader.end();
  return events;
}

function readText(text: string): SseEvent[] {
  return readParts([Buffer.from(text)]);
}

function dataOf(text: string): string[] {
  return readText(text).map(({ data }) => data);
}

const sample = [
  '\ufeff: hello\r\n',
  'event: message_start\r\ndata: {"type":"message_start","text":"größe 🙂\u2028x"}\r\n\r\n',
  'data:{"no":"space"}\n\n',
  'data:  two spaces\n\n',
  'data: one\rdata: two\rdata\rdata:\r\r',
  'id: 7\nevent: ping\nretry: 10\nunknown: x\ndata: {}\n\n\n\n',
  'event: without data\n\n',
  ': comment\n\ndata: [DONE]\n\n',
].join('');

const sampleEvents: SseEvent[] = [
  { event: 'message_start', data: '{"type":"message_start","text":"größe 🙂\u2028x"}', id: null },
  { event: null, data: '{"no":"space"}', id: null },
  { event: null, data: ' two spaces', id: null },
  { event: null, data: 'one\ntwo\n\n', id: null },
  { event: 'ping', data: '{}', id: '7' },
  { event: null, data: '[DONE]', id: null },
];

describe('SseReader', () => {
  it('reads every line end, comments, names and ids', () => {
    expect(readText(sample)).toEqual(sampleEvents);
  });

  it('reads the same events from a stream cut at any byte', () => {
    const bytes = Buffer.from(sample);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(readParts([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toEqual(sampleEvents);
    }
  });

  it('reads the same events from single bytes in memory that is used again', () => {
    const events: SseEvent[] = [];
    const reader = new SseReader((event) => events.push(event));
    const byte = Buffer.alloc(1);
    for (const value of Buffer.from(sample)) {
      byte[0] = value;
      reader.write(byte);
    }
    reader.end();
    expect(events).toEqual(sampleEvents);
  });

  it('reads what eventsource-parser reads', () => {
    const events: SseEvent[] = [];
    const parser = createParser({
      onEvent: ({ event, data, id }) => events.push({ event: event ?? null, data, id: id ?? null }),
    });
    parser.feed(sample.slice(1));
    expect(readText(sample)).toEqual(events);
  });

  it('gives an event out as soon as its blank line is there, with CR too', () => {
    const seen: string[] = [];
    const reader = new SseReader(({ data }) => seen.push(data));
    reader.write(Buffer.from('data: a\n\n'));
    expect(seen).toEqual(['a']);
    reader.write(Buffer.from('data: b\r\r'));
    expect(seen).toEqual(['a', 'b']);
    reader.write(Buffer.from('\ndata: c\r\n\r'));
    expect(seen).toEqual(['a', 'b', 'c']);
    reader.write(Buffer.from('\ndata: d\n'));
    reader.end();
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
  });

  it('dispatches an event without its blank line at the end', () => {
    expect(dataOf('data: {"a":1}')).toEqual(['{"a":1}']);
    expect(dataOf('data: {"a":1}\n')).toEqual(['{"a":1}']);
    expect(dataOf('event: x\nda')).toEqual([]);
    expect(dataOf('')).toEqual([]);
  });

  it('takes a field with an empty value for an event and one without data for none', () => {
    expect(dataOf('data\n\ndata:\n\nevent: x\n\n')).toEqual(['', '']);
  });

  it('passes over lines that only begin like data', () => {
    expect(dataOf('data2: x\ndat: y\ndatax\nd\n data: z\n\n')).toEqual([]);
  });

  it('ignores an id with a NUL and a byte order mark after the start', () => {
    expect(readText('id: a\0b\ndata: x\n\n')).toEqual([{ event: null, data: 'x', id: null }]);
    expect(dataOf('data: x\n\n\ufeffdata: y\n\n')).toEqual(['x']);
  });

  it('replaces bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('data: a'), Buffer.from([0xff, 0xe2, 0x82]), Buffer.from('b\n\n')]);
    expect(readParts([bytes]).map(({ data }) => data)).toEqual(['a\ufffd\ufffdb']);
  });

  it('drops an event over the bound, says so once, and reads the next', () => {
    for (const flood of [`data: ${'x'.repeat(2000)}`, 'data: xxxxxxxxxx\n'.repeat(200), 'data:\n'.repeat(2000)]) {
      for (const step of [1, 7, 100_000]) {
        const problems: string[] = [];
        const seen: string[] = [];
        const reader = new SseReader(({ data }) => seen.push(data), {
          maxEventBytes: 1000,
          onProblem: (problem) => problems.push(problem),
        });
        const bytes = Buffer.from(`data: a\n\n${flood}\n\ndata: b\n\n`);
        for (let at = 0; at < bytes.length; at += step) reader.write(bytes.subarray(at, at + step));
        reader.end();
        expect(seen).toEqual(['a', 'b']);
        expect(problems).toEqual(['An event of the stream was larger than 1000 bytes and was not read.']);
      }
    }
  });

  it('keeps no more than the bound of an event without an end', () => {
    const problems: string[] = [];
    const reader = new SseReader(() => undefined, { onProblem: (problem) => problems.push(problem) });
    const before = process.memoryUsage().rss;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    reader.write(Buffer.from('data: '));
    for (let sent = 0; sent < 256 * 1024 * 1024; sent += chunk.length) reader.write(chunk);
    reader.end();
    expect(problems).toHaveLength(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type SseEvent, SseReader } from '../../src/providers/wire/sse.js';

const lines = fc.oneof(
  fc.constantFrom(
    '',
    '',
    '',
    'data',
    'data:',
    'data: ',
    'id',
    'event',
    'event:',
    ': comment',
    ':',
    'retry: 5',
    'data:\u2028',
  ),
  fc
    .tuple(
      fc.constantFrom('data', 'event', 'id', 'x', 'dat'),
      fc.constantFrom(':', ': ', ':  '),
      fc.string({ unit: 'grapheme' }),
    )
    .map(([name, colon, value]) => name + colon + value.replaceAll(/[\r\n\0]/g, '_')),
);
const streams = fc
  .array(fc.tuple(lines, fc.constantFrom('\n', '\r\n', '\r')))
  .map((parts) => `${parts.map(([line, end]) => line + end).join('')}\n\n`);

it('reads what eventsource-parser reads, however the bytes are cut', () => {
  fc.assert(
    fc.property(streams, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), (text, steps) => {
      const expected: SseEvent[] = [];
      const parser = createParser({
        onEvent: ({ event, data, id }) => expected.push({ event: event || null, data, id: id ?? null }),
      });
      parser.feed(text);
      const events: SseEvent[] = [];
      const reader = new SseReader((event) => events.push(event));
      const bytes = Buffer.from(text);
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const step = steps[turn % steps.length] ?? 1;
        reader.write(bytes.subarray(at, at + step));
        at += step;
      }
      reader.end();
      expect(events).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

it('reads out of blocks what it reads out of their bytes, and says where each event ends', () => {
  fc.assert(
    fc.property(streams, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }), (text, steps) => {
      const bytes = Buffer.from(text);
      const events: [number, SseEvent][] = [];
      const byByte = new SseReader((event) => events.push([at + 1, event]));
      let at = 0;
      for (; at < bytes.length; at++) byByte.write(bytes.subarray(at, at + 1));
      const read: [number, SseEvent][] = [];
      const problems: string[] = [];
      const inBlocks = new SseReader((event) => read.push([start + endsAt, event]), {
        maxEventBytes: 20_000,
        onProblem: (problem) => problems.push(problem),
      });
      let start = 0;
      let endsAt = 0;
      for (let turn = 0; start < bytes.length; turn++) {
        const block = Buffer.from(bytes.subarray(start, start + (steps[turn % steps.length] ?? 1)));
        const isRead = inBlocks.readBlock(block, (end) => {
          endsAt = end;
        });
        for (let i = 0; !isRead && i < block.length; i++) {
          endsAt = i + 1;
          inBlocks.write(block.subarray(i, i + 1));
        }
        start += block.length;
      }
      expect(problems).toEqual([]);
      expect(read).toEqual(events);
    }),
    { numRuns: 500 },
  );
});

it('leaves a block that may hold too large an event to be written', () => {
  const reader = new SseReader(() => undefined, { maxEventBytes: 100 });
  reader.write(Buffer.from('data: {}\n\n'));
  expect(reader.readBlock(Buffer.from('data: {}\n\n'), () => undefined)).toBe(true);
  expect(reader.readBlock(Buffer.from('data: {}\n\n'.repeat(4)), () => undefined)).toBe(false);
  reader.write(Buffer.from(`data: ${'a'.repeat(60)}`));
  expect(reader.readBlock(Buffer.from('aaaaa\n\n'), () => undefined)).toBe(false);
});

it('counts the same bytes of an event read out of a block as of one that was written', () => {
  const lines = Buffer.from('data: a\n'.repeat(10));
  const rest = Buffer.from(`data: ${'b'.repeat(800)}\n\n`);
  for (const maxEventBytes of [906, 905]) {
    const read = [false, true].map((isBlock) => {
      const events: SseEvent[] = [];
      const reader = new SseReader((event) => events.push(event), { maxEventBytes });
      reader.write(Buffer.from(':\n'));
      if (!isBlock) reader.write(lines);
      else expect(reader.readBlock(lines, () => undefined)).toBe(true);
      reader.write(rest);
      return events;
    });
    expect(read[1]).toEqual(read[0]);
    expect(read[1]).toHaveLength(maxEventBytes === 906 ? 1 : 0);
  }
});

it('takes any bytes without throwing', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (parts) => {
      const reader = new SseReader(() => undefined, { maxEventBytes: 50 });
      for (const part of parts) reader.write(part);
      reader.end();
    }),
    { numRuns: 300 },
  );
});

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

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamText } from '../../src/providers/event-stream-text.js';
import { EventStreamReader } from '../../src/providers/wire/event-stream.js';
import { encodeMessage } from '../fixtures/event-stream.js';

const maxMessageBytes = 512;

function read(pieces: readonly Uint8Array[]) {
  const messages: string[] = [];
  const problems: string[] = [];
  const reader = new EventStreamReader(
    ({ headers, payload }) => messages.push(JSON.stringify([[...headers], payload.toString('latin1')])),
    { maxMessageBytes, onProblem: (problem) => problems.push(problem) },
  );
  for (const piece of pieces) {
    reader.write(piece);
    expect(reader.heldBytes).toBeLessThanOrEqual(maxMessageBytes);
  }
  return { whole: reader.end(), messages, problems };
}

/** How many messages there are, those that cannot be read included. */
function countMessages(bytes: Buffer): number {
  let count = 0;
  const note = (): void => {
    count++;
  };
  new EventStreamReader(note, { onProblem: note }).write(bytes);
  return count;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
/** A header of the protocol has a name of 1 to 255 bytes. */
const header = fc.tuple(fc.stringMatching(/^[a-z:-]{1,12}$/), fc.string({ maxLength: 20 }));
const message = fc
  .record({ headers: fc.array(header, { maxLength: 3 }), body: fc.uint8Array({ maxLength: 700 }) })
  .map(({ headers, body }) => encodeMessage(Object.fromEntries(headers), body));

/** Headers and body of any bytes, under lengths and checksums that are right. */
const forged = fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 })).map(([headers, body]) => {
  const out = Buffer.alloc(16 + headers.length + body.length);
  out.writeUInt32BE(out.length, 0);
  out.writeUInt32BE(headers.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  out.set(headers, 12);
  out.set(body, 12 + headers.length);
  out.writeUInt32BE(crc32(out.subarray(0, -4)), out.length - 4);
  return out;
});

describe('an AWS event stream', () => {
  it('as text has one line a message, whatever is in it and however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(message, forged), { maxLength: 6 }), sizes, (list, at) => {
        const write = (pieces: readonly Buffer[]) => {
          const text = new EventStreamText();
          return Buffer.concat(pieces.map((piece) => text.write(piece))).toString();
        };
        const bytes = Buffer.concat(list);
        const lines = write(cut(bytes, at));
        expect(lines).toBe(write([bytes]));
        expect(lines.split(/\r|\n/)).toHaveLength(countMessages(bytes) + 1);
      }),
    );
  });

  it('of any bytes neither throws nor keeps more than its bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), sizes, (bytes, at) => void read(cut(Buffer.from(bytes), at))),
    );
  });

  it('of messages and other bytes is read the same however it is cut', () => {
    const parts = fc.array(fc.oneof({ arbitrary: message, weight: 5 }, forged, fc.uint8Array({ maxLength: 30 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(parts, sizes, (list, at) => {
        const bytes = Buffer.concat(list);
        expect(read(cut(bytes, at))).toEqual(read([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('of whole messages gives each one within the bound, and a problem for each beyond', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), sizes, (list, at) => {
        const { whole, messages, problems } = read(cut(Buffer.concat(list), at));
        const small = list.filter((bytes) => bytes.length <= maxMessageBytes);
        expect(whole).toBe(true);
        expect(messages).toHaveLength(small.length);
        expect(problems).toHaveLength(list.length - small.length);
      }),
    );
  });
});

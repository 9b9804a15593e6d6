import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EventStreamReader } from '../../../src/providers/wire/event-stream.js';
import { encodeEvent, encodeMessage } from '../../fixtures/event-stream.js';

const start = encodeEvent('messageStart', { role: 'assistant' });
const delta = encodeEvent('contentBlockDelta', { delta: { text: 'häppy ☺' } });
const stop = encodeEvent('messageStop', { stopReason: 'end_turn' });
const all = Buffer.concat([start, delta, stop]);

function read(pieces: readonly Uint8Array[], maxMessageBytes?: number) {
  const messages: string[] = [];
  const problems: string[] = [];
  let heldBytes = 0;
  const reader = new EventStreamReader(
    ({ headers, payload }) => messages.push(`${headers.get(':event-type')} ${payload.toString('utf8')}`),
    { onProblem: (problem) => problems.push(problem), ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }) },
  );
  for (const piece of pieces) {
    reader.write(piece);
    heldBytes = Math.max(heldBytes, reader.heldBytes);
  }
  return { whole: reader.end(), messages, problems, heldBytes };
}

const expected = [
  'messageStart {"role":"assistant"}',
  'contentBlockDelta {"delta":{"text":"häppy ☺"}}',
  'messageStop {"stopReason":"end_turn"}',
];

describe('an AWS event stream', () => {
  it('is read message by message, wherever it is cut', () => {
    for (let cut = 0; cut <= all.length; cut++) {
      const { whole, messages, problems } = read([all.subarray(0, cut), all.subarray(cut)]);
      expect({ whole, messages, problems }).toEqual({ whole: true, messages: expected, problems: [] });
    }
  });

  it('is read byte by byte, nothing kept that was read', () => {
    const reading = read(Array.from(all, (byte) => Buffer.from([byte])));
    expect(reading.messages).toEqual(expected);
    expect(reading.heldBytes).toBeLessThan(Math.max(start.length, delta.length, stop.length));
  });

  it('gives a message out as soon as its last byte has passed', () => {
    const messages: string[] = [];
    const reader = new EventStreamReader(({ payload }) => messages.push(payload.toString()));
    reader.write(start.subarray(0, -1));
    expect(messages).toEqual([]);
    reader.write(start.subarray(-1));
    expect(messages).toEqual(['{"role":"assistant"}']);
  });

  it('that ends within a message is not whole, and says so', () => {
    for (const cut of [1, 11, 12, 13, all.length - 1]) {
      const { whole, problems } = read([all.subarray(0, cut)]);
      expect({ whole, problems }).toEqual({
        whole: false,
        problems: ['The event stream ends in the middle of a message.'],
      });
    }
  });

  it('loses a message whose checksum is wrong, with a problem, and no other', () => {
    const damaged = Buffer.from(all);
    const at = start.length + delta.length - 8;
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const { whole, messages, problems } = read([damaged]);
    expect(messages).toEqual([expected[0], expected[2]]);
    expect(problems).toEqual([expect.stringMatching(/^A message of the event stream could not be read: .*checksum/)]);
    expect(whole).toBe(true);
  });

  it('loses a damaged message also of a kind that was read before', () => {
    const damaged = Buffer.concat([delta, delta, delta]);
    for (const at of [2 * delta.length - 8, delta.length + 20, 2 * delta.length - 1]) {
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const { whole, messages, problems } = read([damaged]);
      expect({ whole, messages }).toEqual({ whole: true, messages: [expected[1], expected[1]] });
      expect(problems).toEqual([expect.stringMatching(/^A message of the event stream could not be read: .*checksum/)]);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
    }
  });

  it('is read also where a message has more than the known headers', () => {
    const more = encodeMessage({ ':event-type': 'contentBlockDelta', ':content-type': 'application/json' }, delta);
    expect(read([Buffer.concat([delta, more, delta])]).messages).toHaveLength(3);
  });

  it('is not read on where the length of a message is damaged', () => {
    const damaged = Buffer.from(all);
    damaged[start.length + 1] = 0xff;
    const { whole, messages, problems } = read([damaged]);
    expect(messages).toEqual([expected[0]]);
    expect(problems).toEqual(['A message of the event stream does not begin as one should: the rest was not read.']);
    expect(whole).toBe(false);
  });

  it('loses a message larger than the bound, without keeping it, and no other', () => {
    const large = encodeMessage({ ':event-type': 'large' }, Buffer.alloc(100_000, 0x20));
    const stream = Buffer.concat([start, large, stop]);
    for (const size of [7, 4096, stream.length]) {
      const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, at) =>
        stream.subarray(at * size, (at + 1) * size),
      );
      const reading = read(pieces, 1000);
      expect(reading.messages).toEqual([expected[0], expected[2]]);
      expect(reading.problems).toEqual(['A message of the event stream was larger than 1000 bytes and was not read.']);
      expect(reading.heldBytes).toBeLessThan(1000);
      expect(reading.whole).toBe(true);
    }
  });

  it('never reads a header out of memory that is not the message', () => {
    const valid = encodeMessage({ a: 'b' }, Buffer.alloc(0));
    const lying = encodeMessage({ a: 'b' }, Buffer.alloc(0));
    // The length of the value: name length, name and type stand before it.
    lying.writeUInt16BE(5000, 12 + 1 + 1 + 1);
    lying.writeUInt32BE(readCrc(lying), lying.length - 4);
    const pooled = Buffer.allocUnsafe(20_000).fill('x');
    lying.copy(pooled, 100);
    const { messages, problems } = read([valid, pooled.subarray(100, 100 + lying.length)]);
    expect(messages).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^A message of the event stream could not be read: /)]);
  });
});

/** The checksum the message should have. */
function readCrc(message: Buffer): number {
  return crc32(message.subarray(0, -4));
}

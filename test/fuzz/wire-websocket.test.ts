import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cut, makeFrame, openCompressor, readSocket } from '../providers/wire/websocket/frames.js';

const masks = fc.option(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), { nil: undefined });
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 });
const texts = fc.array(
  fc.record({
    text: fc.string({ unit: 'grapheme', maxLength: 300 }),
    pieces: fc.array(fc.nat(40), { maxLength: 4 }),
    compressed: fc.boolean(),
    ping: fc.option(fc.uint8Array({ maxLength: 125 })),
  }),
  { maxLength: 12 },
);

it('gives the messages that were sent, however they are fragmented, masked, compressed and cut', async () => {
  await fc.assert(
    fc.asyncProperty(texts, masks, sizes, fc.boolean(), async (sent, mask, cuts, forgets) => {
      const compress = openCompressor({ forgets });
      const frames: Buffer[] = [];
      const masking = mask === undefined ? {} : { mask };
      for (const { text, pieces, compressed, ping } of sent) {
        const payload = compressed ? await compress(text) : Buffer.from(text);
        const parts = pieces.length === 0 ? [payload] : [...cut(payload, pieces), Buffer.alloc(0)];
        for (const [at, part] of parts.entries()) {
          const isFirst = at === 0;
          const opcode = isFirst ? 1 : 0;
          frames.push(
            makeFrame({
              ...masking,
              opcode,
              final: at === parts.length - 1,
              compressed: compressed && isFirst,
              payload: part,
            }),
          );
          if (ping !== null && at < parts.length - 1) frames.push(makeFrame({ ...masking, opcode: 9, payload: ping }));
        }
      }
      const extensions = `permessage-deflate${forgets ? '; client_no_context_takeover' : ''}`;
      const chunks = cut(Buffer.concat(frames), cuts).map((bytes) => ({ side: 'client', bytes }) as const);
      expect(await readSocket(chunks, { extensions })).toEqual(sent.map(({ text }) => `client: ${text}`));
    }),
    { numRuns: 150 },
  );
});

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc
    .record({
      opcode: fc.nat(15),
      final: fc.boolean(),
      compressed: fc.boolean(),
      payload: fc.uint8Array({ maxLength: 200 }),
    })
    .map(makeFrame),
);

it('takes any bytes without throwing, and reads the same wherever they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(noise, { maxLength: 10 }), sizes, async (parts, cuts) => {
      const bytes = Buffer.concat(parts);
      const options = { extensions: 'permessage-deflate', bounds: { maxMessageBytes: 300, maxQueuedBytes: 300 } };
      const whole = await readSocket([{ side: 'server', bytes }], options);
      const pieces = cut(bytes, cuts).map((piece) => ({ side: 'server', bytes: piece }) as const);
      expect(await readSocket(pieces, options)).toEqual(whole);
      for (const line of whole.filter((each) => each.startsWith('server: ')))
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(8 + 3 * 300);
    }),
    { numRuns: 1000 },
  );
});

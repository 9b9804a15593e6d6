import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SocketFilter, type Verdict } from '../../../../src/providers/wire/websocket/socket-filter.js';
import { cut, makeFrame, openCompressor, readSocket } from './frames.js';

interface Sent {
  readonly bytes: Buffer;
  readonly text: string;
}

interface Filtered {
  readonly up: Buffer;
  readonly told: string[];
  readonly filter: SocketFilter;
}

/** What the provider gets of what a client sends in these pieces. */
async function filterUp(
  pieces: readonly Buffer[],
  options: { readonly extensions?: string | null; readonly decide: (text: string) => Promise<Verdict> | Verdict },
): Promise<Filtered> {
  const given: Buffer[] = [];
  const told: string[] = [];
  const filter = new SocketFilter(options.extensions ?? null, {
    decide: ({ bytes }) => options.decide(bytes.toString()),
    onControl: (frame) => told.push(`control ${(frame[0] ?? 0) & 0x0f}`),
    onBlind: (problem) => told.push(`blind: ${problem}`),
    onStuck: (problem) => told.push(`stuck: ${problem}`),
    nowMs: () => 0,
  });
  const give = (bytes: Buffer): number => given.push(bytes);
  for (const piece of pieces) await filter.takeFromClient(piece, give);
  await filter.endOfClient(give);
  return { up: Buffer.concat(given), told, filter };
}

const mask = [9, 8, 7, 6];
const text = (payload: string): Buffer => makeFrame({ payload, mask });
const deflate = 'permessage-deflate';

/** A message in one frame or in several, with a ping between them. */
function makeFrames(payload: Buffer, { compressed, parts }: { compressed: boolean; parts: number }): Buffer {
  const size = Math.ceil(payload.length / parts) || 1;
  const frames: Buffer[] = [];
  for (let i = 0; i < parts; i += 1) {
    const [opcode, final] = [i === 0 ? 1 : 0, i === parts - 1];
    const piece = payload.subarray(i * size, (i + 1) * size);
    frames.push(
      makeFrame({ opcode, final, compressed: compressed && i === 0, payload: piece, mask: [...randomBytes(4)] }),
    );
    if (!final) frames.push(makeFrame({ opcode: 9, payload: 'ping', mask }));
  }
  return Buffer.concat(frames);
}

describe('what a client sends', () => {
  it('goes on as it came, the end too, where its frames are too many to be held, and is no message to decide on', async () => {
    const fragment = makeFrame({ opcode: 0, final: false, payload: 'x', mask });
    const many = Buffer.alloc(fragment.length * 8192, fragment);
    // More than 17 MiB of frames, 2.5 MB of text.
    const pieces = [
      makeFrame({ payload: 'x', final: false, mask }),
      ...Array<Buffer>(330).fill(many),
      makeFrame({ opcode: 0, payload: 'end', mask }),
      text('next'),
    ];
    const asked: number[] = [];
    const { up } = await filterUp(pieces, {
      decide: (message) => {
        asked.push(message.length);
        return 'drop';
      },
    });
    expect(asked).toEqual(['next'.length]);
    expect(up.equals(Buffer.concat(pieces.slice(0, -1)))).toBe(true);
  });

  it('goes on byte for byte where nothing is changed, however it comes in pieces', async () => {
    const compress = openCompressor();
    const bytes = Buffer.concat([
      makeFrames(Buffer.from('one'), { compressed: false, parts: 1 }),
      makeFrames(await compress('two two two'), { compressed: true, parts: 3 }),
      makeFrame({ opcode: 10, payload: '', mask }),
      makeFrames(Buffer.from('three'.repeat(30_000)), { compressed: false, parts: 2 }),
      makeFrame({ opcode: 8, payload: Buffer.from([3, 232]), mask }),
    ]);
    const whole = await filterUp([bytes], { extensions: deflate, decide: () => 'pass' });
    for (const sizes of [[1], [2, 5], [7000, 3]]) {
      const cutUp = await filterUp(cut(bytes, sizes), { extensions: deflate, decide: () => 'pass' });
      expect(cutUp.told).toEqual(['control 9', 'control 9', 'control 10', 'control 9', 'control 8']);
      expect(cutUp.up.equals(whole.up)).toBe(true);
    }
    // A control frame within a message that is held goes ahead of it; nothing else moves.
    expect(whole.up.length).toBe(bytes.length);
    const client = (side: Buffer) => [{ side: 'client' as const, bytes: side }];
    expect(await readSocket(client(whole.up), { extensions: deflate })).toEqual(
      await readSocket(client(bytes), { extensions: deflate }),
    );
  });

  it('keeps the frames it came in, also where the message before was changed', async () => {
    const second = makeFrames(Buffer.from('fragmented'), { compressed: false, parts: 2 });
    const { up } = await filterUp([text('first'), second], {
      decide: (said) => (said === 'first' ? Buffer.from('another') : 'pass'),
    });
    const ping = makeFrame({ opcode: 9, payload: 'ping', mask });
    expect(up.subarray(0, text('another').length)).toEqual(text('another'));
    expect(up.length).toBe(text('another').length + second.length);
    expect(up.includes(ping)).toBe(true);
  });

  it('waits for a decision that takes its time, in its order', async () => {
    const { up } = await filterUp(
      [Buffer.concat([text('slow'), text('fast'), makeFrame({ opcode: 9, payload: '', mask })])],
      {
        decide: (said) => (said === 'slow' ? new Promise((resolve) => setImmediate(() => resolve('drop'))) : 'pass'),
      },
    );
    expect(up).toEqual(Buffer.concat([text('fast'), makeFrame({ opcode: 9, payload: '', mask })]));
  });

  it('goes on unread where it is larger than is held', async () => {
    const large = text('x'.repeat(18 * 1024 * 1024));
    const decided: string[] = [];
    const { up } = await filterUp([...cut(large, [1024 * 1024]), text('next')], {
      decide: (said) => {
        decided.push(said);
        return 'pass';
      },
    });
    expect(up.equals(Buffer.concat([large, text('next')]))).toBe(true);
    expect(decided).toEqual(['next']);
  });

  it('goes on as it comes where its frames cannot be told apart, or are in an extension nobody knows', async () => {
    const noise = Buffer.concat([Buffer.from([0xf3, 0x05]), randomBytes(500)]);
    const broken = await filterUp([text('one'), noise, noise], { decide: () => 'pass' });
    expect(broken.up.equals(Buffer.concat([text('one'), noise, noise]))).toBe(true);
    expect(broken.told).toHaveLength(1);
    const unknown = await filterUp([noise], { extensions: 'x-other', decide: () => 'drop' });
    expect(unknown.up.equals(noise)).toBe(true);
  });

  it.each([
    ['with a memory', deflate, {}],
    ['each message by itself', `${deflate}; client_no_context_takeover`, { forgets: true }],
    ['with a window of 512 bytes', `${deflate}; client_max_window_bits=9`, { windowBits: 9 }],
    ['with a window of 256 bytes', `${deflate}; client_max_window_bits=8`, { windowBits: 9 }],
  ])('is read by the provider whatever was changed or left out: %s', async (_, extensions, compression) => {
    for (let round = 0; round < 20; round += 1) {
      const compress = openCompressor(compression);
      const sent: Sent[] = [];
      const verdicts = new Map<string, Verdict>();
      for (let i = 0; i < 30; i += 1) {
        const said = `${i} ${'the same words again '.repeat(1 + (i % 7) ** 2)}`.repeat(i === 20 ? 200 : 1);
        const isCompressed = Math.random() < 0.7;
        const payload = isCompressed ? await compress(said) : Buffer.from(said);
        sent.push({ bytes: makeFrames(payload, { compressed: isCompressed, parts: 1 + (i % 3) }), text: said });
        const choice = Math.random();
        if (choice < 0.15) verdicts.set(said, 'drop');
        else if (choice < 0.3) verdicts.set(said, Buffer.from(`changed ${said}`));
      }
      const sizes = [1 + Math.floor(Math.random() * 50), 1 + Math.floor(Math.random() * 5000)];
      const pieces = cut(Buffer.concat(sent.map(({ bytes }) => bytes)), sizes);
      const { up } = await filterUp(pieces, { extensions, decide: (said) => verdicts.get(said) ?? 'pass' });
      const expected = sent.flatMap(({ text: said }) => {
        const verdict = verdicts.get(said) ?? said;
        return verdict === 'drop' ? [] : [`client: ${verdict.toString()}`];
      });
      expect(await readSocket([{ side: 'client', bytes: up }], { extensions })).toEqual(expected);
    }
  });
});

describe('what the tap says', () => {
  const open = (): { filter: SocketFilter; said: Buffer[] } => {
    const filter = new SocketFilter(deflate, {
      decide: () => 'pass',
      onControl: () => undefined,
      onBlind: () => undefined,
      onStuck: () => undefined,
      nowMs: () => 0,
    });
    const said: Buffer[] = [];
    filter.sayings.bind((bytes) => said.push(bytes));
    return { filter, said };
  };

  it('stands between the provider’s messages, in none of them and in no frame', async () => {
    const compress = openCompressor();
    const message = Buffer.concat([
      makeFrame({ payload: (await compress('one two')).subarray(0, 3), final: false, compressed: true }),
      makeFrame({ opcode: 9, payload: 'ping' }),
    ]);
    const rest = makeFrame({ opcode: 0, payload: 'x' });
    for (let at = 1; at < message.length; at += 1) {
      const { filter, said } = open();
      const given = [...filter.sayings.take(message.subarray(0, at))];
      filter.sayings.add({ text: 'refused' });
      given.push(...filter.sayings.take(message.subarray(at)), ...filter.sayings.take(rest));
      const saying = makeFrame({ payload: 'refused' });
      expect(said).toEqual([]);
      expect(Buffer.concat(given)).toEqual(Buffer.concat([message, rest, saying]));
    }
    const { filter, said } = open();
    filter.sayings.take(Buffer.concat([message, rest]));
    filter.sayings.add({ text: 'refused' });
    expect(said).toEqual([makeFrame({ payload: 'refused' })]);
  });

  it('waits for the end of a message whose frames come in one piece, the last one too', () => {
    const half = makeFrame({ payload: 'half', final: false });
    const ping = makeFrame({ opcode: 9, payload: 'ping' });
    const rest = makeFrame({ opcode: 0, payload: 'whole' });
    const next = makeFrame({ payload: 'next' });
    const saying = makeFrame({ payload: 'refused' });
    // What comes behind it in the same piece may be half a frame: it must not be waited for.
    for (const behind of [Buffer.alloc(0), next, next.subarray(0, 3)]) {
      const { filter } = open();
      filter.sayings.take(half);
      filter.sayings.add({ text: 'refused' });
      const given = Buffer.concat([...filter.sayings.take(Buffer.concat([ping, rest, behind]))]);
      expect(given).toEqual(Buffer.concat([ping, rest, saying, behind]));
    }
  });

  it('is the last word where it closes the socket', () => {
    const { filter, said } = open();
    filter.sayings.take(makeFrame({ payload: 'half', final: false }));
    filter.sayings.add({ code: 1011, reason: `${'é'.repeat(70)}` });
    const rest = makeFrame({ opcode: 0, payload: 'whole' });
    const close = makeFrame({
      opcode: 8,
      payload: Buffer.concat([Buffer.from([3, 243]), Buffer.from('é'.repeat(61))]),
    });
    expect(Buffer.concat([...filter.sayings.take(Buffer.concat([rest, rest]))])).toEqual(Buffer.concat([rest, close]));
    expect(filter.sayings.take(rest)).toEqual([]);
    filter.sayings.add({ text: 'more' });
    expect(said).toEqual([]);
  });
});

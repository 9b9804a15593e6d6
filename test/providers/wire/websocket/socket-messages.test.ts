import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readExtensions } from '../../../../src/providers/wire/websocket/extensions.js';
import { cut, makeFrame, openCompressor, readSocket } from './frames.js';

const mask = [0x37, 0xfa, 0x21, 0x3d];
const fromServer = (...bytes: Buffer[]) => bytes.map((each) => ({ side: 'server', bytes: each }) as const);
const fromClient = (...bytes: Buffer[]) => bytes.map((each) => ({ side: 'client', bytes: each }) as const);

describe('the messages of a WebSocket', () => {
  it('are those of the examples in RFC 6455, section 5.7', async () => {
    const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
    expect(
      await readSocket([
        ...fromServer(
          hex('81 05 48 65 6c 6c 6f'),
          hex('01 03 48 65 6c'),
          hex('80 02 6c 6f'),
          hex('89 05 48 65 6c 6c 6f'),
        ),
        ...fromClient(hex('81 85 37 fa 21 3d 7f 9f 4d 51 58'), hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58')),
      ]),
    ).toEqual(['server: Hello', 'server: Hello', 'client: Hello']);
  });

  it('are put together from frames with pings and pongs between them', async () => {
    const frames = [
      makeFrame({ final: false, payload: 'one ', mask }),
      makeFrame({ opcode: 9, payload: 'ping', mask }),
      makeFrame({ opcode: 0, final: false, payload: '', mask }),
      makeFrame({ opcode: 10, payload: '', mask }),
      makeFrame({ opcode: 0, payload: 'two', mask }),
      makeFrame({ opcode: 8, payload: Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('bye')]), mask }),
      makeFrame({ payload: 'after the close', mask }),
    ];
    expect(await readSocket(fromClient(...frames))).toEqual(['client: one two', 'client close 1000 bye']);
  });

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('of %i bytes are read, masked or not', async (length) => {
    const payload = 'x'.repeat(length);
    expect(
      await readSocket([...fromServer(makeFrame({ payload })), ...fromClient(makeFrame({ payload, mask }))]),
    ).toEqual([`server: ${payload}`, `client: ${payload}`]);
  });

  it('are the same wherever the bytes are cut in two', async () => {
    const compress = openCompressor();
    const bytes = Buffer.concat([
      makeFrame({ payload: 'plain', mask }),
      makeFrame({ payload: await compress('squeezed squeezed squeezed'), compressed: true, mask }),
      makeFrame({ opcode: 9, payload: 'p', mask }),
      makeFrame({ payload: 'y'.repeat(200), final: false, mask }),
      makeFrame({ opcode: 0, payload: 'z', mask }),
      makeFrame({ payload: await compress('squeezed again'), compressed: true, mask }),
      makeFrame({ opcode: 8, payload: '', mask }),
    ]);
    const options = { extensions: 'permessage-deflate' };
    const whole = await readSocket(fromClient(bytes), options);
    expect(whole).toHaveLength(5);
    for (let at = 0; at <= bytes.length; at++)
      expect(await readSocket(fromClient(bytes.subarray(0, at), bytes.subarray(at)), options)).toEqual(whole);
  });

  it('leave the bytes they are read from as they are', async () => {
    const bytes = makeFrame({ payload: 'masked', mask });
    const before = Buffer.from(bytes);
    await readSocket(fromClient(...cut(bytes, [3])));
    expect(bytes).toEqual(before);
  });
});

describe('compressed messages', () => {
  it.each([
    ['permessage-deflate', {}],
    ['permessage-deflate; server_max_window_bits=9', { windowBits: 9 }],
    ['permessage-deflate; server_no_context_takeover; client_no_context_takeover', { forgets: true }],
  ])('are read under %s, hundreds of them', async (extensions, options) => {
    const compress = openCompressor(options);
    const texts = Array.from({ length: 300 }, (_, at) => `{"n":${at},"text":"${'word '.repeat(at)}"}`);
    const frames: Buffer[] = [];
    for (const text of texts) frames.push(makeFrame({ payload: await compress(text), compressed: true }));
    expect(await readSocket(fromServer(...frames), { extensions })).toEqual(texts.map((text) => `server: ${text}`));
  });

  it('may be fragmented, empty, and mixed with others', async () => {
    const compress = openCompressor();
    const first = await compress('first '.repeat(50));
    const empty = await compress('');
    const second = await compress('first second');
    const frames = [
      makeFrame({ payload: first.subarray(0, 3), final: false, compressed: true }),
      makeFrame({ opcode: 9, payload: '' }),
      makeFrame({ opcode: 0, payload: first.subarray(3) }),
      makeFrame({ payload: 'plain' }),
      makeFrame({ payload: empty, compressed: true }),
      makeFrame({ payload: second, compressed: true }),
    ];
    expect(await readSocket(fromServer(...frames), { extensions: 'permessage-deflate' })).toEqual([
      `server: ${'first '.repeat(50)}`,
      'server: plain',
      'server: ',
      'server: first second',
    ]);
  });

  it('may end in a last block, as RFC 7692, section 7.2.3.5 shows', async () => {
    const payload = Buffer.from('f348cdc9c9070000', 'hex');
    const frame = makeFrame({ payload, compressed: true });
    expect(await readSocket(fromServer(frame), { extensions: 'permessage-deflate' })).toEqual(['server: Hello']);
  });

  it('too large to be inflated at once keep their place between those of both sides', async () => {
    const compress = openCompressor();
    const large = 'a'.repeat(2_000_000);
    const chunks = [
      ...fromServer(makeFrame({ payload: await compress('before'), compressed: true })),
      ...fromServer(makeFrame({ payload: await compress(large), compressed: true })),
      ...fromClient(makeFrame({ payload: 'meanwhile', mask })),
      ...fromServer(makeFrame({ payload: await compress('before and after'), compressed: true })),
      ...fromServer(makeFrame({ opcode: 8, payload: '' })),
    ];
    expect(await readSocket(chunks, { extensions: 'permessage-deflate' })).toEqual([
      'server: before',
      `server: ${large}`,
      'client: meanwhile',
      'server: before and after',
      'server close null ',
    ]);
  });
});

describe('what cannot be read', () => {
  const bounds = { maxMessageBytes: 1000 };

  it('is skipped over the bound, and the next message read', async () => {
    const frames = [
      makeFrame({ payload: 'x'.repeat(600), final: false }),
      makeFrame({ opcode: 0, payload: 'x'.repeat(600) }),
      makeFrame({ payload: 'x'.repeat(70_000) }),
      makeFrame({ payload: 'small' }),
    ];
    expect(await readSocket(fromServer(...frames.flatMap((frame) => cut(frame, [500]))), { bounds })).toEqual([
      'server! A message of 1200 bytes was not read.',
      'server! A message of 70000 bytes was not read.',
      'server: small',
    ]);
  });

  it('is a message that inflates to more than the bound, and what builds on it', async () => {
    const bomb = deflateRawSync(Buffer.alloc(10_000_000)).subarray(0, -4);
    const frames = [
      makeFrame({ payload: bomb, compressed: true }),
      makeFrame({ payload: deflateRawSync('next'), compressed: true }),
      makeFrame({ payload: 'plain' }),
    ];
    const small = { maxMessageBytes: 100_000 };
    expect(await readSocket(fromServer(...frames), { extensions: 'permessage-deflate', bounds: small })).toEqual([
      'server!! A message inflates to more than 100000 bytes and was not read.',
    ]);
    const forgetting = 'permessage-deflate; server_no_context_takeover';
    const read = await readSocket(fromServer(...frames), { extensions: forgetting, bounds: small });
    expect(read).toEqual([
      'server! A message inflates to more than 100000 bytes and was not read.',
      'server: next',
      'server: plain',
    ]);
  });

  it('is a direction whose messages inflate to a hundred times their size, once that is 64 MiB', async () => {
    const bomb = deflateRawSync(Buffer.alloc(4 << 20, 'a')).subarray(0, -4);
    const frames = Array.from({ length: 40 }, () => makeFrame({ payload: bomb, compressed: true }));
    const forgetting = 'permessage-deflate; server_no_context_takeover';
    const told = await readSocket(fromServer(...frames), { extensions: forgetting });
    expect(told.map((line) => line.slice(0, 12))).toEqual([
      ...Array.from({ length: 16 }, () => 'server: aaaa'),
      'server!! The',
    ]);
    expect(told.at(-1)).toBe('server!! The messages inflate to more than 100 times their size; the rest was not read.');
    // A megabyte a second is sound that says nothing.
    const slowly = fromServer(...frames).map((chunk, i) => ({ ...chunk, atMs: i * 4000 }));
    expect(await readSocket(slowly, { extensions: forgetting })).toHaveLength(40);
  });

  it.each([
    ['a frame of an unknown kind', makeFrame({ opcode: 3, payload: '' })],
    ['a compressed frame that nobody agreed on', makeFrame({ compressed: true, payload: '' })],
    ['a message within another', Buffer.concat([makeFrame({ final: false, payload: '' }), makeFrame({ payload: '' })])],
    ['a message that goes on and never began', makeFrame({ opcode: 0, payload: '' })],
    ['a ping in pieces', makeFrame({ opcode: 9, final: false, payload: '' })],
    ['a ping that is too long', makeFrame({ opcode: 9, payload: 'x'.repeat(126) })],
    ['a length no frame can have', Buffer.from('81ffffffffffffffffff00000000', 'hex')],
  ])('ends the reading of a direction: %s', async (_what, bytes) => {
    const told = await readSocket([
      ...fromServer(bytes, makeFrame({ payload: 'never read' })),
      ...fromClient(makeFrame({ payload: 'still read', mask })),
    ]);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^server!! A /);
    expect(told[1]).toBe('client: still read');
  });

  it('is a socket with an extension nobody knows', async () => {
    expect(await readSocket(fromServer(makeFrame({ payload: 'x' })), { extensions: 'x-webkit-deflate-frame' })).toEqual(
      ['server!! The WebSocket extension "x-webkit-deflate-frame" is not known.'],
    );
    expect(readExtensions('permessage-deflate; server_no_context_takeover')).toEqual({
      compression: { clientForgets: false, serverForgets: true, clientWindowBits: 15 },
    });
  });

  it('is what waits beyond the bound for a message to be inflated, however small the messages', async () => {
    const bomb = deflateRawSync(Buffer.alloc(3_000_000, 'a')).subarray(0, -4);
    const chunks = fromServer(
      makeFrame({ payload: bomb, compressed: true }),
      ...Array.from({ length: 10 }, () => makeFrame({ payload: '' })),
    );
    const told = await readSocket(chunks, { extensions: 'permessage-deflate', bounds: { maxQueuedBytes: 1000 } });
    expect(told.map((line) => line.slice(0, 60))).toEqual([
      `server: ${'a'.repeat(52)}`,
      ...['server: ', 'server: ', 'server: '],
      'server!! Messages came faster than they could be inflated.',
    ]);
  });
});

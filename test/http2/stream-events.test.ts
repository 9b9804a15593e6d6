/** What the owner of a stream hears, by the stream alone. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Http2Stream, type StreamEvents, type StreamLink } from '../../src/http2/stream.js';

const link: StreamLink = {
  send: () => undefined,
  writeHead: () => undefined,
  writeNumber: () => undefined,
  refuse: () => undefined,
  forget: () => undefined,
  onProblem: (error) => {
    throw error;
  },
};

const windowBytes = 64 * 1024;

function openStream(events: Partial<StreamEvents>): { readonly stream: Http2Stream; readonly heard: string[] } {
  const heard: string[] = [];
  const stream = new Http2Stream(link, { sendWindow: windowBytes, windowBytes, isRemote: false });
  stream.id = 1;
  stream.listen({
    onHead: (status) => void heard.push(`head ${status}`),
    onData: (piece) => void heard.push(`data ${piece.length}`),
    onEnd: () => void heard.push('end'),
    onDrain: () => void heard.push('drain'),
    onClosed: ({ code }) => void heard.push(`closed ${code}`),
    ...events,
  });
  return { stream, heard };
}

describe('a stream its owner resets', () => {
  it('on hearing a head that is all there is, has no end', async () => {
    const { stream, heard } = openStream({ onHead: () => stream.reset(8) });
    stream.receiveHead(200, [], true);
    await turn();
    expect(heard).toEqual(['closed 8']);
  });

  it('on hearing the last piece, has no end', async () => {
    const { stream, heard } = openStream({ onData: () => stream.reset(8) });
    stream.receiveData(Buffer.from('all'), true, 0);
    await turn();
    expect(heard).toEqual(['closed 8']);
  });
});

describe('a stream that nobody reads', () => {
  it('keeps small pieces together, and each byte in its place', async () => {
    const pieces: Buffer[] = [];
    const { stream } = openStream({ onData: (piece) => void pieces.push(piece) });
    stream.pause();
    const sent = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7) & 0xff));
    for (let at = 0; at < 10_000; at += 1) stream.receiveData(sent.subarray(at, at + 1), false, 0);
    stream.receiveData(sent.subarray(10_000, 15_000), false, 0);
    for (let at = 15_000; at < 20_000; at += 1) stream.receiveData(sent.subarray(at, at + 1), false, 0);
    stream.resume();
    await turn();
    expect(sent.equals(Buffer.concat(pieces))).toBe(true);
    expect(pieces.length).toBeLessThan(20);
  });
});

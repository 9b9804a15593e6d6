/** A client that asks and asks, and reads nothing. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { preface } from '../../src/http2/codes.js';
import { Http2Session } from '../../src/http2/session.js';
import { endHeaders, endStream, writeHeaders, writeSettings } from '../fixtures/http2-frames.js';

const options = {
  ...{ isServer: true, windowBytes: 65_536, connectionWindowBytes: 1024 * 1024 },
  ...{ maxHeaderBytes: 65_536, maxStreams: 100 },
};
const head = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];
const ignore = (): void => undefined;

describe('a client that reads none of its replies', () => {
  it('is cut off for asking on, before their heads fill the memory', async () => {
    let ended: boolean | undefined;
    let asked = 0;
    let written = 0;
    const session = new Http2Session(options, {
      write: (pieces) => {
        for (const { length } of pieces) written += length;
        return false;
      },
      end: (isFaulty) => {
        ended = isFaulty;
      },
      onStream: (stream) => {
        asked += 1;
        stream.listen({ onData: ignore, onEnd: ignore, onDrain: ignore, onClosed: ignore });
        stream.writeHead([':status', '204', 'x-large', 'x'.repeat(32_768)], true);
      },
      onLeaving: ignore,
      onProblem: (error) => {
        throw error;
      },
    });
    session.receive(Buffer.concat([preface, writeSettings()]));
    for (let id = 1; id < 4000 && ended === undefined; id += 2) {
      session.receive(writeHeaders(id, head, endHeaders + endStream));
      await turn();
    }
    expect(ended).toBe(true);
    expect(asked).toBeGreaterThan(100);
    // With what it is told goodbye by.
    expect(written).toBeLessThan(20 * 1024 * 1024);
  });
});

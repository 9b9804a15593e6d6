import { Readable } from 'node:stream';
import v8 from 'node:v8';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Upload } from '../../src/proxy/client-side.js';
import { takeBody } from '../../src/proxy/request-body.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

function readHeapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('a body that is read whole', () => {
  it('takes the memory of its bytes, in however many pieces they come', async () => {
    const pieces = 300_000;
    const stream = new Readable({ read: () => undefined, highWaterMark: pieces });
    const upload: Upload = {
      ...{ isAnnounced: true, bytes: null, isChunked: true },
      read: ({ onData, onEnd, onClosed }) => void stream.on('data', onData).on('end', onEnd).on('close', onClosed),
      pause: () => void stream.pause(),
      resume: () => void stream.resume(),
    };
    let received = 0;
    const body = new Promise<unknown>((resolve) => {
      takeBody(upload, {
        wholeBytes: pieces * 2,
        onData: () => (received += 1),
        onEnd: () => undefined,
        onPassed: () => undefined,
        onReady: resolve,
      });
    });
    const before = readHeapBytes();
    for (let i = 0; i < pieces; i += 1) {
      stream.push(Buffer.from([i % 251]));
      // As they come, so that none waits in the stream.
      if (i % 1000 === 0) await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    expect(received).toBe(pieces);
    expect(readHeapBytes() - before).toBeLessThan(10 * 1024 * 1024);
    stream.push(null);
    expect(await body).toEqual(Buffer.from(Array.from({ length: pieces }, (_, i) => i % 251)));
  });
});

import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { makeReplyHeaders } from '../../src/proxy/reply-headers.js';

const sent = [
  'Connection',
  'keep-alive',
  'X-A',
  '1',
  'Keep-Alive',
  'timeout=5',
  'Transfer-Encoding',
  'chunked',
  'x-a',
  '2',
];
const ask = (minor: number, connection?: string): IncomingMessage =>
  ({
    httpVersionMajor: 1,
    httpVersionMinor: minor,
    headers: connection === undefined ? {} : { connection },
  }) as IncomingMessage;

describe('the headers of a reply', () => {
  it.each([undefined, 'keep-alive', 'Keep-Alive, TE', 'Upgrade', 'enclose'])(
    'are as they came for Connection: %s',
    (connection) => {
      expect(makeReplyHeaders(ask(1, connection), sent)).toEqual(sent);
    },
  );

  it.each(['close', 'Close', 'TE, close'])(
    'say close to a client that asked with %j, and keep the rest',
    (connection) => {
      expect(makeReplyHeaders(ask(1, connection), sent)).toEqual([
        'X-A',
        '1',
        'Transfer-Encoding',
        'chunked',
        'x-a',
        '2',
        'Connection',
        'close',
      ]);
    },
  );

  it('announce no chunks to a client of HTTP/1.0', () => {
    expect(makeReplyHeaders(ask(0, 'keep-alive'), sent)).toEqual(['X-A', '1', 'x-a', '2', 'Connection', 'close']);
  });
});

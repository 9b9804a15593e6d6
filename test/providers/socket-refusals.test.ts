import { describe, expect, it } from 'vitest';
import type { SocketDialect, SocketMessage, SocketReader } from '../../src/core/socket.js';
import { openaiRealtime } from '../../src/providers/openai-realtime.js';
import { openaiResponsesSocket } from '../../src/providers/openai-responses-socket.js';

function open(dialect: SocketDialect): SocketReader {
  const call = { addRequest: () => undefined, addReply: () => undefined, end: () => undefined };
  return dialect.open({ path: '/' }, { collect: () => undefined, open: () => call });
}

function ask(more: object): SocketMessage {
  const bytes = Buffer.from(JSON.stringify({ type: 'response.create', model: 'm', ...more }));
  return { bytes, wireBytes: bytes.length, atMs: 1 };
}

/** What a client is told when its messages are refused, one after the other. */
function refuse(reader: SocketReader, messages: readonly SocketMessage[]): string[] {
  const said: string[] = [];
  for (const message of messages) {
    reader.refuse?.(message, 'Enough.', (saying) => {
      if ('text' in saying) said.push(saying.text);
    });
  }
  return said;
}

describe('a refusal over a WebSocket', () => {
  it.each([
    ['Responses', openaiResponsesSocket, 'stream_id'],
    ['Realtime', openaiRealtime, 'event_id'],
  ])('of %s repeats the id of what it refuses, and none that is longer than any', (_name, dialect, name) => {
    const [short, long] = ['x'.repeat(500), 'y'.repeat(2000)];
    const said = refuse(open(dialect), [ask({ [name]: short }), ask({ [name]: long })]);
    expect(said[0]).toContain(`"${name}":"${short}"`);
    expect(said[1]).not.toContain('yyy');
  });

  it('repeats no stream_id that is none, however it is made', () => {
    const deep = Buffer.from(`{"type":"response.create","stream_id":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    const [said] = refuse(open(openaiResponsesSocket), [{ bytes: deep, wireBytes: deep.length, atMs: 1 }]);
    expect(JSON.parse(said ?? '')).toMatchObject({ type: 'error', status: 429 });
    expect(said).not.toContain('stream_id');
  });

  it('waits for its turn, of which a thousand are remembered: the next ones come at once', () => {
    const reader = open(openaiResponsesSocket);
    reader.readClient(ask({}));
    const asks = Array.from({ length: 1010 }, () => ask({}));
    expect(refuse(reader, asks)).toHaveLength(11);
  });
});

import { describe, expect, it } from 'vitest';
import { SocketSayings } from '../../../../src/providers/wire/websocket/socket-sayings.js';
import { makeFrame } from './frames.js';

describe('what the tap says on a WebSocket', () => {
  it('waits for the provider’s message to end, is counted as long, and comes behind it', () => {
    const said: Buffer[] = [];
    const sayings = new SocketSayings();
    sayings.bind((bytes) => said.push(bytes));
    const message = makeFrame({ payload: 'a message' });
    const [begin, end] = [message.subarray(0, 4), message.subarray(4)];
    expect(sayings.take(begin)).toEqual([begin]);
    sayings.add({ text: 'no' });
    sayings.add({ text: 'not now' });
    const waiting = [makeFrame({ payload: 'no' }), makeFrame({ payload: 'not now' })];
    expect([said, sayings.waitingBytes]).toEqual([[], Buffer.concat(waiting).length]);
    expect(Buffer.concat(sayings.take(end))).toEqual(Buffer.concat([end, ...waiting]));
    expect(sayings.waitingBytes).toBe(0);
  });

  it('is said at once between messages, and is not counted', () => {
    const said: Buffer[] = [];
    const sayings = new SocketSayings();
    sayings.bind((bytes) => said.push(bytes));
    sayings.add({ text: 'no' });
    expect([said, sayings.waitingBytes]).toEqual([[makeFrame({ payload: 'no' })], 0]);
  });
});

import { expect, it } from 'vitest';
import { SharedReply } from '../../src/cache/shared-reply.js';
import { makeLagError, type ReplyControl, type ReplyHandler } from '../../src/core/reply.js';

const maxBytes = 4 * 1024 * 1024;

function openFollower(shared: SharedReply, { isPaused }: { readonly isPaused: boolean }) {
  const heard = { bytes: 0, problem: '' };
  const handler: ReplyHandler = {
    onStart: (control: ReplyControl) => (isPaused ? control.pause() : undefined),
    onHead: () => undefined,
    onData: (chunk) => {
      heard.bytes += chunk.length;
    },
    onEnd: () => undefined,
    onError: (error) => {
      heard.problem = error.message;
    },
  };
  shared.play(handler);
  return heard;
}

it('a reply that comes a byte at a time is held for its pieces, too, and one who lags behind it is cut', () => {
  const shared = new SharedReply(maxBytes);
  shared.begin(200, [], null);
  const [reads, sleeps] = [openFollower(shared, { isPaused: false }), openFollower(shared, { isPaused: true })];
  const byte = Buffer.from('x');
  const push = (times: number): void => {
    for (let i = 0; i < times; i++) shared.push(byte, i);
  };
  push(30_000);
  expect([shared.isJoinable, shared.chunks?.length]).toEqual([true, 30_000]);
  push(20_000);
  expect([shared.isJoinable, shared.chunks]).toEqual([false, null]);
  push(150_000);
  expect([reads, sleeps]).toEqual([
    { bytes: 200_000, problem: '' },
    { bytes: 0, problem: makeLagError().message },
  ]);
});

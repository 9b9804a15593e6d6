import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/http2/codes.js';
import { endHeaders, endStream, frameTypes, writeHeaders, writeSettings } from '../fixtures/http2-frames.js';
import { Alone } from './alone.js';
import { get, Heard, openPair } from './session-pair.js';

const whole = [{ code: errorCodes.noError, lost: null }];
const reset = (code: number): unknown => [{ code, lost: null }];
const post = [':method', 'POST', ...get.slice(2)];

function reply(heard: Heard, body: Buffer | null = null, trailers: string[] = []): void {
  heard.stream?.writeHead([':status', '200'], false);
  heard.stream?.end(body, trailers);
}

describe.each([
  ['that takes all', false],
  ['that takes one write at a time', true],
])('a connection %s', (_what, isTight) => {
  it.each([0, 1, 16_384, 16_385, 1_000_000])('carries bodies of %d bytes both ways', async (bytes) => {
    const pair = openPair({ isTight });
    const body = Buffer.alloc(bytes, 'abcdefghijk');
    pair.onAsked = (heard) => {
      heard.onEach = () => {
        if (heard.ends.length === 1) reply(heard, heard.body);
      };
    };
    const heard = pair.ask(post, false);
    heard.stream?.end(body);
    await pair.settle();
    expect(heard.body.equals(body)).toBe(true);
    expect([heard.heads, heard.ends, heard.closed]).toEqual([[[200, [':status', '200']]], [[]], whole]);
    expect(pair.asked.map(({ heard: { ends, closed, sent } }) => [ends, closed, sent])).toEqual([[[[]], whole, 1]]);
  });

  it('carries a hundred at once, and a large one holds up no small one', async () => {
    const pair = openPair({ isTight, client: { windowBytes: 1024 * 1024, connectionWindowBytes: 1024 * 1024 } });
    const order: string[] = [];
    pair.onAsked = (heard, raw) => reply(heard, Buffer.alloc(raw.includes('/large') ? 2_000_000 : 100));
    const ask = (path: string): Heard => {
      const heard = pair.ask([':method', 'GET', ':scheme', 'https', ':authority', 'a', ':path', path]);
      heard.onEach = () => {
        if (heard.ends.length === 1) order.push(path);
      };
      return heard;
    };
    const all = [ask('/large'), ...Array.from({ length: 99 }, (_none, i) => ask(`/${i}`))];
    await pair.settle();
    expect(all.map(({ closed }) => closed)).toEqual(all.map(() => whole));
    expect(order.at(-1)).toBe('/large');
    expect(all[0]?.body).toHaveLength(2_000_000);
  });
});

describe('a stream', () => {
  it('carries interim heads, and trailers behind its body', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => {
      heard.stream?.writeHead([':status', '103', 'link', '<a>'], false);
      reply(heard, Buffer.from('body'), ['grpc-status', '0']);
    };
    const heard = pair.ask(post, false);
    heard.stream?.end(null, ['x-sum', '1']);
    await pair.settle();
    expect(heard.heads.map(([status]) => status)).toEqual([103, 200]);
    expect([heard.body.toString(), heard.ends]).toEqual(['body', [['grpc-status', '0']]]);
    expect(pair.asked[0]?.heard.ends).toEqual([['x-sum', '1']]);
  });

  it('that nobody reads holds what its window allows, and is whole when it is read on', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => reply(heard, Buffer.alloc(500_000, 'x'));
    const slow = pair.ask();
    slow.stream?.pause();
    await pair.settle();
    expect([slow.body.length, slow.closed]).toEqual([0, []]);
    const other = pair.ask();
    await pair.settle();
    expect(other.closed).toEqual(whole);
    slow.stream?.resume();
    await pair.settle();
    expect([slow.body.length, slow.ends, slow.closed]).toEqual([500_000, [[]], whole]);
  });

  it('that is not read stops its writer, who hears when to go on', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => heard.stream?.writeHead([':status', '200'], false);
    const slow = pair.ask();
    await pair.settle();
    slow.stream?.pause();
    const far = pair.asked[0]?.heard;
    expect(far?.stream?.write(Buffer.alloc(200_000))).toBe(false);
    await pair.settle();
    expect(far?.drains).toBe(0);
    slow.stream?.resume();
    await pair.settle();
    expect([far?.drains, slow.body.length]).toEqual([1, 200_000]);
  });

  it('of HEAD has no body, whatever its length', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => heard.stream?.writeHead([':status', '200', 'content-length', '9'], true);
    const heard = pair.ask([':method', 'HEAD', ...get.slice(2)]);
    await pair.settle();
    expect([heard.ends, heard.closed]).toEqual([[[]], whole]);
  });

  it.each([
    ['shorter', '5'],
    ['longer', '2'],
    ['of no length at all', 'x'],
  ])('whose body is %s than its head says is reset, either way', async (_what, length) => {
    const pair = openPair();
    pair.onAsked = (heard, raw) => {
      if (raw.includes('POST')) return;
      heard.stream?.writeHead([':status', '200', 'content-length', length], false);
      heard.stream?.end(Buffer.from('abc'));
    };
    const down = pair.ask();
    const up = pair.ask([...post, 'content-length', length], false);
    up.stream?.end(Buffer.from('abc'));
    await pair.settle();
    expect([down.ends, down.closed]).toEqual([[], [{ code: errorCodes.protocolError, lost: null, isRefused: true }]]);
    expect(up.closed).toEqual(reset(errorCodes.protocolError));
    expect(pair.asked.flatMap(({ heard }) => heard.ends)).toEqual([[]]);
  });

  it('that is reset says so once, to both ends, and what was on its way is not told', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => reply(heard, Buffer.alloc(200_000));
    const heard = pair.ask();
    heard.onEach = () => heard.stream?.reset(errorCodes.cancel);
    await pair.settle();
    heard.stream?.reset(errorCodes.noError);
    await pair.settle();
    expect([heard.heads.length, heard.pieces.length, heard.closed]).toEqual([1, 0, reset(errorCodes.cancel)]);
    expect(pair.asked[0]?.heard.closed).toEqual(reset(errorCodes.cancel));
    expect([pair.client.session.streams, pair.server.session.streams]).toEqual([0, 0]);
  });

  it('that is cut has sent all that was written', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => {
      heard.stream?.writeHead([':status', '200'], false);
      heard.stream?.write(Buffer.alloc(300_000));
      heard.stream?.cut(errorCodes.internalError);
    };
    const heard = pair.ask();
    await pair.settle();
    expect([heard.body.length, heard.ends, heard.closed]).toEqual([300_000, [], reset(errorCodes.internalError)]);
  });

  it('whose owner throws is reset, and no other', async () => {
    const pair = openPair();
    pair.onAsked = (heard) => reply(heard, Buffer.from('x'));
    const [broken, other] = [pair.ask(), pair.ask()];
    broken.onEach = () => {
      throw new Error('mine');
    };
    await pair.settle();
    expect(pair.client.problems.map(({ message }) => message)).toEqual(['mine']);
    expect([broken.closed, other.closed]).toEqual([reset(errorCodes.internalError), whole]);
  });
});

describe('a connection', () => {
  it('asks no more at once than the other end takes; the others wait', async () => {
    const pair = openPair({ server: { maxStreams: 2 } });
    await pair.settle();
    expect(pair.client.maxStreams).toBe(2);
    const all = Array.from({ length: 5 }, () => pair.ask());
    await pair.settle();
    expect(pair.asked).toHaveLength(2);
    all[3]?.stream?.reset(errorCodes.cancel);
    for (let i = 0; i < 4; i += 1) {
      const next = pair.asked[i]?.heard;
      if (next !== undefined) reply(next);
      await pair.settle();
    }
    expect(all.map(({ closed }) => closed)).toEqual([whole, whole, whole, reset(errorCodes.cancel), whole]);
    expect(pair.asked).toHaveLength(4);
  });

  it('that says goodbye lets what is under way end, and takes nothing new', async () => {
    const pair = openPair();
    const going = pair.ask();
    await pair.settle();
    pair.server.session.close();
    const late = pair.ask();
    await pair.settle();
    expect([late.closed, pair.client.session.isLeaving]).toEqual([reset(errorCodes.refusedStream), true]);
    const far = pair.asked[0]?.heard;
    if (far !== undefined) reply(far, Buffer.from('x'));
    await pair.settle();
    expect([going.closed, pair.asked.length]).toEqual([whole, 1]);
    expect([pair.server.ended, pair.client.ended, pair.client.leavings]).toEqual([[false], [false], 1]);
  });

  it('that is lost tells every stream once, those that wait, too', async () => {
    const pair = openPair({ server: { maxStreams: 1 } });
    await pair.settle();
    const all = [pair.ask(), pair.ask()];
    await pair.settle();
    const error = new Error('gone');
    pair.client.session.lose(error);
    pair.client.session.lose(null);
    await pair.settle();
    expect(all.map(({ closed }) => closed)).toEqual(all.map(() => [{ code: errorCodes.cancel, lost: { error } }]));
  });

  it('that is lost refuses what is asked of it then, as one that is leaving does', async () => {
    const pair = openPair();
    await pair.settle();
    pair.client.session.close();
    const late = pair.ask();
    expect(late.closed).toEqual([]);
    pair.client.session.lose(null);
    const later = pair.ask();
    await pair.settle();
    expect(late.closed).toEqual(reset(errorCodes.refusedStream));
    expect(later.closed).toEqual([{ code: errorCodes.refusedStream, lost: { error: null } }]);
    expect(pair.asked).toEqual([]);
    expect(pair.client.session.streams).toBe(0);
  });

  it('whose windows are made larger lets what waits go on, and what then begins sends no more than its window', () => {
    const client = new Alone(false).receive(writeSettings([3, 1, 4, 100]));
    const ask = (bytes: number): void => {
      client.session.request(post, false, new Heard()).end(Buffer.alloc(bytes));
    };
    ask(150);
    ask(3000);
    client.receive(writeHeaders(1, [':status', '200'], endHeaders + endStream), writeSettings([4, 1000]));
    const sent = (id: number): number =>
      client.frames
        .filter((frame) => frame.type === frameTypes.data && frame.id === id)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    expect([sent(1), sent(3)]).toEqual([150, 1000]);
  });
});

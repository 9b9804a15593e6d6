import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/http2/codes.js';
import { HeaderDecoder } from '../../src/http2/header-decoder.js';
import {
  endHeaders,
  endStream,
  frameTypes,
  writeBlock,
  writeData,
  writeFrame,
  writeHeaders,
  writeNumber,
  writeReset,
  writeSettings,
} from '../fixtures/http2-frames.js';
import { Alone, ask, goaway, many, openServer, preface, resetOf } from './alone.js';
import { get } from './session-pair.js';

const { protocolError, frameSizeError, flowControlError, streamClosed, enhanceYourCalm } = errorCodes;

// By RFC 9113, the section in each name (read 2026-11-28).
describe('a client that breaks the rules of a connection is told why, and left:', () => {
  it.each<[string, number, Buffer[]]>([
    ['DATA on no stream (6.1)', protocolError, [writeData(0, 'x')]],
    ['DATA on a stream nobody opened (5.1)', protocolError, [writeData(1, 'x')]],
    ['HEADERS on no stream (6.2)', protocolError, [ask(0)]],
    ['HEADERS on a stream of the server’s (5.1.1)', protocolError, [ask(2)]],
    ['a frame between HEADERS and CONTINUATION (6.2)', protocolError, [ask(1, 0), writeData(1, 'x')]],
    ['CONTINUATION of another stream (6.10)', protocolError, [ask(1, 0), writeFrame(frameTypes.continuation, 4, 3)]],
    ['CONTINUATION alone (6.10)', protocolError, [writeFrame(frameTypes.continuation, 4, 1)]],
    ['padding as long as its frame (6.1)', protocolError, [ask(1), writeFrame(0, 8, 1, Buffer.from([3, 1, 2]))]],
    ['a frame that is too large (4.2)', frameSizeError, [ask(1), writeData(1, Buffer.alloc(16_385))]],
    ['RST_STREAM of a stream nobody opened (6.4)', protocolError, [writeReset(1, 8)]],
    ['RST_STREAM of no stream (6.4)', protocolError, [writeReset(0, 8)]],
    ['RST_STREAM of another size (6.4)', frameSizeError, [ask(1), writeFrame(frameTypes.reset, 0, 1, Buffer.alloc(3))]],
    ['SETTINGS on a stream (6.5)', protocolError, [writeFrame(frameTypes.settings, 0, 1)]],
    ['SETTINGS of another size (6.5)', frameSizeError, [writeFrame(frameTypes.settings, 0, 0, Buffer.alloc(5))]],
    ['an answer to SETTINGS that says something (6.5)', frameSizeError, [writeFrame(4, 1, 0, Buffer.alloc(6))]],
    ['ENABLE_PUSH of 2 (6.5.2)', protocolError, [writeSettings([2, 2])]],
    ['a first window that is too large (6.5.2)', flowControlError, [writeSettings([4, 0x8000_0000])]],
    ['a frame size that is too small (6.5.2)', protocolError, [writeSettings([5, 16_383])]],
    ['PING of another size (6.7)', frameSizeError, [writeFrame(frameTypes.ping, 0, 0, Buffer.alloc(7))]],
    ['PING on a stream (6.7)', protocolError, [writeFrame(frameTypes.ping, 0, 1, Buffer.alloc(8))]],
    ['GOAWAY of another size (6.8)', frameSizeError, [writeFrame(frameTypes.goaway, 0, 0, Buffer.alloc(7))]],
    ['a push (8.4)', protocolError, [writeFrame(frameTypes.push, 4, 1, writeNumber(2))]],
    ['PRIORITY of another size (6.3)', frameSizeError, [writeFrame(frameTypes.priority, 0, 1, Buffer.alloc(4))]],
    ['a window by 0 (6.9)', protocolError, [writeFrame(frameTypes.windowUpdate, 0, 0, writeNumber(0))]],
    [
      'a window that is too large (6.9.1)',
      flowControlError,
      [writeFrame(frameTypes.windowUpdate, 0, 0, writeNumber(0x7fff_ffff))],
    ],
    [
      'the window of a stream that a setting makes too large (6.9.2)',
      flowControlError,
      [ask(1), writeFrame(8, 0, 1, writeNumber(0x7fff_0000)), writeSettings([4, 0x7fff_ffff])],
    ],
  ])('%s', (_what, code, frames) => {
    const server = openServer().receive(...frames);
    expect(server.told.at(-1)).toEqual(goaway(code));
    expect([server.ended, server.problems, server.session.isOver]).toEqual([[true], [], true]);
  });

  it.each<[string, Buffer[]]>([
    ['something else than HTTP/2 (3.4)', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['another first frame than SETTINGS (3.4)', [preface, ask(1)]],
    ['an answer to SETTINGS first (3.4)', [preface, writeFrame(frameTypes.settings, 1, 0)]],
  ])('%s', (_what, frames) => {
    expect(new Alone(true).receive(...frames).told).toEqual([goaway(protocolError)]);
  });

  it.each<[string, () => Buffer[]]>([
    ['SETTINGS', () => many(2000, () => writeSettings())],
    ['PING', () => many(2000, () => writeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
    ['empty DATA', () => [ask(1), ...many(20_000, () => writeData(1, ''))]],
    ['empty CONTINUATION', () => [ask(1, 0), ...many(20, () => writeFrame(frameTypes.continuation, 0, 1))]],
    [
      'CONTINUATION',
      () => [ask(1, 0), ...many(3, () => writeFrame(frameTypes.continuation, 0, 1, Buffer.alloc(9000)))],
    ],
    ['PRIORITY', () => many(20_000, () => writeFrame(frameTypes.priority, 0, 1, Buffer.alloc(5)))],
    [
      'streams taken back',
      () => Array.from({ length: 1500 }, (_none, i) => [ask(i * 2 + 1), writeReset(i * 2 + 1, 8)]).flat(),
    ],
    ['streams that are refused', () => Array.from({ length: 1500 }, (_none, i) => ask(i * 2 + 1))],
  ])('a flood of %s', (_what, frames) => {
    const server = openServer().receive(...frames());
    expect(server.told.at(-1)).toEqual(goaway(enhanceYourCalm));
  });
});

describe('a client that breaks the rules of a stream loses that stream alone:', () => {
  const bad = (...more: string[]): Buffer => writeHeaders(1, [...get, ...more], endHeaders + endStream);
  it.each<[string, number, Buffer[]]>([
    ['DATA behind its end (5.1)', streamClosed, [ask(1, endHeaders + endStream), writeData(1, 'x')]],
    ['HEADERS behind its end (5.1)', streamClosed, [ask(1, endHeaders + endStream), ask(1)]],
    ['trailers that do not end it (8.1)', protocolError, [ask(1), writeHeaders(1, ['x-a', '1'])]],
    ['trailers with a line break (8.2.1)', protocolError, [ask(1), writeHeaders(1, ['x-a', '1\n2'], 5)]],
    [
      'trailers that are of a connection (8.2.2)',
      protocolError,
      [ask(1), writeHeaders(1, ['transfer-encoding', 'x'], 5)],
    ],
    ['an empty path (8.3.1)', protocolError, [writeHeaders(1, [...get.slice(0, 7), ''], endHeaders + endStream)]],
    ['a pseudo-header in trailers (8.1)', protocolError, [ask(1), writeHeaders(1, [':path', '/'], 5)]],
    ['more than its window (6.9.1)', flowControlError, [ask(1), writeData(1, Buffer.alloc(1001))]],
    ['a header of a connection (8.2.2)', protocolError, [bad('connection', 'close')]],
    ['a name in upper case (8.2.1)', protocolError, [bad('X-A', '1')]],
    ['a value with a line break (8.2.1)', protocolError, [bad('x-a', '1\r\nx-b: 2')]],
    ['a pseudo-header behind others (8.3)', protocolError, [bad('x-a', '1', ':path', '/')]],
    ['a pseudo-header of replies (8.3)', protocolError, [bad(':status', '200')]],
    ['no path (8.3.1)', protocolError, [writeHeaders(1, get.slice(0, 6), endHeaders + endStream)]],
    ['a length it does not have (8.1.1)', protocolError, [bad('content-length', '3')]],
    [
      'one stream more than is allowed (5.1.2)',
      errorCodes.refusedStream,
      [...Array.from({ length: 11 }, (_none, i) => ask(i * 2 + 1))],
    ],
  ])('%s', (_what, code, frames) => {
    const server = openServer().receive(...frames);
    const id = code === errorCodes.refusedStream ? 21 : 1;
    expect(server.told).toEqual([resetOf(id, code)]);
    expect([server.ended, server.problems, server.session.isOver]).toEqual([[], [], false]);
  });

  it('headers that are too long, which it is told by a 431', () => {
    const server = openServer();
    const block = writeBlock([...get, 'x-a', 'a'.repeat(16_000), 'x-b', 'b'.repeat(5000)]);
    server.receive(
      writeFrame(1, endStream, 1, block.subarray(0, 16_000)),
      writeFrame(9, endHeaders, 1, block.subarray(16_000)),
    );
    expect(server.told).toEqual([resetOf(1, errorCodes.noError)]);
    expect(server.heard).toEqual([]);
    const [head] = server.frames.filter(({ type }) => type === frameTypes.headers);
    expect([head?.id, head?.flags]).toEqual([1, endHeaders + endStream]);
    expect(new HeaderDecoder(1000).decode(head?.payload ?? preface).raw).toEqual([':status', '431']);
  });

  it('nothing where each of its streams fills its window and nobody reads', () => {
    const server = openServer();
    for (let id = 1; id < 20; id += 2) server.receive(ask(id));
    for (const { stream } of server.heard) stream?.pause();
    for (let id = 1; id < 20; id += 2) server.receive(writeData(id, Buffer.alloc(1000)));
    expect(server.told).toEqual([]);
    expect(server.heard.flatMap(({ pieces }) => pieces)).toEqual([]);
    server.receive(writeData(5, 'x'));
    expect(server.told).toEqual([resetOf(5, flowControlError)]);
  });
});

describe('a goodbye', () => {
  it('names no more than one before it', () => {
    const server = openServer().receive(ask(1));
    server.session.close();
    server.receive(ask(3), writeData(5, 'x'));
    expect(server.told.map(({ type, code }) => [type, code])).toEqual([
      [frameTypes.goaway, errorCodes.noError],
      [frameTypes.reset, errorCodes.refusedStream],
      [frameTypes.goaway, protocolError],
    ]);
    const goodbyes = server.frames.filter(({ type }) => type === frameTypes.goaway);
    expect(goodbyes.map(({ payload }) => payload.readUInt32BE(0))).toEqual([1, 1]);
  });
});

describe('whatever comes', () => {
  const script = Buffer.concat([
    ...[preface, writeSettings([4, 5000]), ask(1), writeData(1, 'body', endStream), ask(3, 0)],
    ...[writeFrame(frameTypes.continuation, 4, 3), writeFrame(0, 8, 3, Buffer.from([1, 65, 66, 0]))],
    ...[
      writeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
      writeHeaders(3, ['x-sum', '1'], 5),
      ask(5),
      writeReset(5, 8),
    ],
  ]);
  const told = (server: Alone): unknown =>
    server.heard.map(({ body, ends, closed }) => [body.toString(), ends, closed]);

  it('is heard the same in one piece, cut anywhere, and octet by octet', () => {
    const expected = told(new Alone(true).receive(script));
    expect(expected).toEqual([
      ['body', [[]], []],
      ['AB', [['x-sum', '1']], []],
      ['', [], [{ code: errorCodes.cancel, lost: null }]],
    ]);
    for (let at = 1; at < script.length; at += 1)
      expect(told(new Alone(true).receive(script.subarray(0, at)).receive(script.subarray(at)))).toEqual(expected);
    const slow = new Alone(true);
    for (const octet of script) slow.receive(Buffer.from([octet]));
    expect(told(slow)).toEqual(expected);
  });

  it('throws nothing and hangs nobody, altered as it may be', () => {
    const change = fc.tuple(fc.nat(script.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.uint8Array({ maxLength: 60 }), (changes, more) => {
        const bytes = Buffer.concat([script, more]);
        for (const [at, octet] of changes) bytes[at] = octet;
        const server = new Alone(true).receive(bytes);
        expect(server.problems).toEqual([]);
        server.session.lose(null);
        expect(server.session.streams).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});

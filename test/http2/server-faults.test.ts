import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/http2/codes.js';
import {
  frameTypes,
  writeData,
  writeFrame,
  writeHeaders,
  writeNumber,
  writeSettings,
} from '../fixtures/http2-frames.js';
import { Alone, goaway, many, openClient, resetOf } from './alone.js';

const { protocolError, frameSizeError, flowControlError, enhanceYourCalm } = errorCodes;

describe('a server that breaks the rules', () => {
  const head = writeHeaders(1, [':status', '200']);
  it.each<[string, number, Buffer[]]>([
    ['by a body before its head', protocolError, [writeData(1, 'x')]],
    ['by headers on a stream nobody opened', protocolError, [writeHeaders(3, [':status', '200'])]],
    ['by a push', protocolError, [writeFrame(frameTypes.push, 4, 1, writeNumber(2))]],
    ['by allowing pushes (6.5.2)', protocolError, [writeSettings([2, 1])]],
    ['by a window by 0 (6.9)', protocolError, [writeFrame(frameTypes.windowUpdate, 0, 1, writeNumber(0))]],
    ['by a first window that is too large (6.5.2)', flowControlError, [writeSettings([4, 0x8000_0000])]],
    ['by SETTINGS of another size (6.5)', frameSizeError, [writeFrame(frameTypes.settings, 0, 0, Buffer.alloc(5))]],
    ['by a frame that is too large (4.2)', frameSizeError, [head, writeData(1, Buffer.alloc(16_385))]],
    ['by a flood of SETTINGS', enhanceYourCalm, many(2000, () => writeSettings())],
    ['by a flood of PING', enhanceYourCalm, many(2000, () => writeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)))],
    ['by heads of 1xx without an end', enhanceYourCalm, many(20_000, () => writeHeaders(1, [':status', '103']))],
    ['by a stream of its own', protocolError, [writeHeaders(2, [':status', '200'])]],
  ])('%s loses the connection', (_what, code, frames) => {
    const client = openClient().receive(...frames);
    expect(client.told).toEqual([goaway(code)]);
    expect(client.heard[0]?.closed).toHaveLength(1);
  });

  it('by another first frame than SETTINGS loses the connection', () => {
    expect(new Alone(false).receive(head).told).toEqual([goaway(protocolError)]);
  });

  it.each<[string, number, Buffer[]]>([
    ['by a head without a status', protocolError, [writeHeaders(1, ['x-a', '1'])]],
    ['by a status that is none', protocolError, [writeHeaders(1, [':status', '20'])]],
    ['by an interim head that ends it', protocolError, [writeHeaders(1, [':status', '103'], 5)]],
    ['by more than the window', flowControlError, [head, writeData(1, Buffer.alloc(1001))]],
  ])('%s loses the stream', (_what, code, frames) => {
    const client = openClient().receive(...frames);
    expect(client.told).toEqual([resetOf(1, code)]);
    expect(client.heard[0]?.closed).toEqual([{ code, lost: null, isRefused: true }]);
  });

  it('by one header that HTTP cannot hold is read without that', () => {
    const client = openClient().receive(writeHeaders(1, [':status', '200', 'x-a', '1\n2', 'x-b', '3'], 5));
    expect(client.heard[0]?.heads).toEqual([[200, [':status', '200', 'x-b', '3']]]);
  });
});

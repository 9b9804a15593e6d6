import { describe, expect, it } from 'vitest';
import {
  describeConnectStep,
  describeUpstreamError,
  makeConnectStep,
  makeUpstreamError,
  readHeaderValue,
  writeHeaderValue,
} from '../../src/core/in-process.js';

/** What a reply to CONNECT may have, node-hook.cts. */
const maxReplyBytes = 524_288;
const carry = (value: unknown): unknown => readHeaderValue(writeHeaderValue(value));

describe('an error told to a client of this process', () => {
  it('is whole where it is one of Node’s', () => {
    const inner = ['::1', '127.0.0.1'].map((address) =>
      Object.assign(new Error(`connect ECONNREFUSED ${address}:1`), { code: 'ECONNREFUSED', address, port: 1 }),
    );
    const error = Object.assign(new AggregateError(inner, ''), { code: 'ECONNREFUSED' });
    expect(makeUpstreamError(carry(describeUpstreamError(error)))).toEqual(error);
  });

  it.each([
    [
      'a certificate with a hundred thousand names',
      () => Object.assign(new Error('é'.repeat(1_000_000)), { reason: 'é'.repeat(1_000_000) }),
    ],
    [
      'ten thousand addresses',
      () =>
        new AggregateError(
          Array.from({ length: 10_000 }, () => new Error('é'.repeat(10_000))),
          'all',
        ),
    ],
    ['a text that was thrown', () => 'é'.repeat(1_000_000)],
  ])('fits in a reply to CONNECT, also of %s', (_what, make) => {
    const told = writeHeaderValue(describeUpstreamError(make()));
    expect(told.length).toBeLessThan(maxReplyBytes);
    expect(makeUpstreamError(readHeaderValue(told))).toBeInstanceOf(Error);
  });
});

describe('a step told to a client of this process', () => {
  it('names the host its client asked for, and is else as Node told it', () => {
    const lookup = describeConnectStep(['lookup', null, '192.0.2.1', 4, 'elsewhere.test']);
    expect(makeConnectStep(carry(lookup), 'api.test')).toEqual(['lookup', null, '192.0.2.1', 4, 'api.test']);
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND a'), { code: 'ENOTFOUND' });
    const failed = describeConnectStep(['lookup', error, undefined, undefined, 'a']);
    expect(makeConnectStep(carry(failed), 'a')).toEqual(['lookup', error, undefined, undefined, 'a']);
  });

  it.each([[null], ['lookup'], [[]], [['error', {}]], [{ name: 'lookup' }]])('is none when it is %j', (value) => {
    expect(makeConnectStep(value, 'a')).toBeUndefined();
  });
});

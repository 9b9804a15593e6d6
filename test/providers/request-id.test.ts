import { describe, expect, it } from 'vitest';
import { readRequestId } from '../../src/providers/request-id.js';

describe('the provider request id', () => {
  it.each([
    ['X-Request-Id', 'req_1'],
    ['request-id', 'req_011'],
    ['apim-request-id', 'a-b'],
    ['x-amzn-RequestId', 'c-d'],
    ['mistral-correlation-id', 'm-1'],
    ['CF-RAY', '8f-AMS'],
  ])('is read from %s', (name, value) => {
    expect(readRequestId(['Content-Type', 'application/json', name, value])).toBe(value);
  });

  it("is the provider's own before the one of the edge, whatever their order", () => {
    expect(readRequestId(['cf-ray', '8f', 'request-id', 'req_1'])).toBe('req_1');
    expect(readRequestId(['x-request-id', 'req_1', 'cf-ray', '8f'])).toBe('req_1');
  });

  it('is null without such a header, or with an empty one', () => {
    expect(readRequestId([])).toBeNull();
    expect(readRequestId(['date', 'now', 'x-request-id', ' '])).toBeNull();
  });

  it('is bounded', () => {
    expect(readRequestId(['x-request-id', 'x'.repeat(9000)])).toHaveLength(256);
  });
});

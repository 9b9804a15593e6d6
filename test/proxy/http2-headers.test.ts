import { describe, expect, it } from 'vitest';
import { chooseProtocol } from '../../src/proxy/alpn.js';
import { dropPseudoHeaders, listHttp2Headers, readRequestHead } from '../../src/proxy/http2-headers.js';

describe('the head of a request over HTTP/2', () => {
  it('is read as HTTP/1.1 would write it', () => {
    const pseudo = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];
    expect(readRequestHead(pseudo)).toEqual({ method: 'GET', path: '/', rawHeaders: ['host', 'a.test'] });
  });

  it('has one Host, the authority before any other, and its cookies in one line', () => {
    const raw = [':method', 'POST', ':path', '/p?q', 'cookie', 'a=1', 'host', 'b.test', 'x', '1', 'cookie', 'b=2'];
    expect(readRequestHead(raw).rawHeaders).toEqual(['cookie', 'a=1; b=2', 'host', 'b.test', 'x', '1']);
    expect(readRequestHead([':authority', 'a.test', ...raw]).rawHeaders).toEqual([
      ...['host', 'a.test', 'cookie', 'a=1; b=2', 'x', '1'],
    ]);
  });
});

describe('headers for HTTP/2', () => {
  it('are in lower case, repeated as they came, and without those of the connection', () => {
    const raw = ['X-A', '1', 'Connection', 'close, X-Hop', 'X-Hop', '2', 'x-a', '3', 'Transfer-Encoding', 'chunked'];
    expect(listHttp2Headers(raw)).toEqual(['x-a', '1', 'x-a', '3']);
    expect(listHttp2Headers(['TE', 'gzip', 'Upgrade', 'h2c', 'Keep-Alive', '5'])).toEqual([]);
    expect(listHttp2Headers(['te', 'Trailers'])).toEqual(['te', 'Trailers']);
  });

  it('say as often as it came what should be said once only', () => {
    const raw = ['X-Content-Type-Options', 'nosniff', 'x-content-type-options', 'nosniff', 'Age', '1', 'Age', '2'];
    const asTheyCame = [
      'x-content-type-options',
      'nosniff',
      'x-content-type-options',
      'nosniff',
      'age',
      '1',
      'age',
      '2',
    ];
    expect(listHttp2Headers(raw)).toEqual(asTheyCame);
  });

  it('never carry a pseudo-header, nor a header without a name', () => {
    expect(listHttp2Headers([':status', '200', '__proto__', 'x', '', 'y'])).toEqual(['__proto__', 'x']);
    expect(dropPseudoHeaders([':status', '200', 'a', '1'])).toEqual(['a', '1']);
  });
});

describe('the protocol of a client', () => {
  it.each([
    [null, 'http/1.1'],
    [[], 'http/1.1'],
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'http/1.1'],
    [['grpc-exp', 'h2'], 'h2'],
    [['spdy/3.1'], undefined],
  ])('that offers %j is %s', (offered, chosen) => {
    expect(chooseProtocol(offered)).toBe(chosen);
  });
});

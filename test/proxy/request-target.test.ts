import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../src/proxy/request-target.js';

const asked = (url: string): IncomingMessage => ({ url }) as IncomingMessage;
const destination = {
  origin: { scheme: 'https', host: 'api.openai.com', port: 443 },
  serverName: 'api.openai.com',
} as const;

describe('the target of a request', () => {
  it.each([
    ['http://localhost:11434/v1/chat?x=1#y', { scheme: 'http', host: 'localhost', port: 11434 }, '/v1/chat?x=1'],
    ['http://Example.COM', { scheme: 'http', host: 'example.com', port: 80 }, '/'],
    ['HTTPS://example.com?q', { scheme: 'https', host: 'example.com', port: 443 }, '/?q'],
    ['http://[::1]:8080/a', { scheme: 'http', host: '::1', port: 8080 }, '/a'],
    ['http://user:p@ss@host/a', { scheme: 'http', host: 'host', port: 80 }, '/a'],
    ['http://h/a%20b/%zz', { scheme: 'http', host: 'h', port: 80 }, '/a%20b/%zz'],
  ])('%s on the proxy port goes where it says', (url, origin, path) => {
    const target = readTarget(asked(url), null);
    expect(target).toEqual({ destination: { origin, serverName: origin.host }, path });
  });

  it.each(['/v1/models', '', '*', 'ftp://x/y', 'http://', 'http://:80/', 'http://h:0/'])(
    '%j on the proxy port goes nowhere',
    (url) => {
      expect(readTarget(asked(url), null)).toBeUndefined();
    },
  );

  it('inside a tunnel is the tunnel, whatever an absolute URL says', () => {
    expect(readTarget(asked('https://evil.example/v1/models?a'), destination)).toEqual({
      destination,
      path: '/v1/models?a',
    });
    expect(readTarget(asked('/v1/models'), destination)).toEqual({ destination, path: '/v1/models' });
  });
});

import { describe, expect, it } from 'vitest';
import { describeProxy, readUpstreamProxies } from '../../src/proxy/upstream-proxy.js';

const openai = { scheme: 'https', host: 'api.openai.com', port: 443 } as const;
const plain = { scheme: 'http', host: 'models.example', port: 80 } as const;

function isException(noProxy: string, host: string, port = 443): boolean {
  const choice = readUpstreamProxies({ https_proxy: 'http://proxy:3128', no_proxy: noProxy });
  return choice.findProxy({ scheme: 'https', host, port }) === undefined;
}

describe('the proxy variables', () => {
  it('choose by scheme, the lower case first, ALL_PROXY for what is left', () => {
    const choice = readUpstreamProxies({
      HTTPS_PROXY: 'http://upper:1',
      https_proxy: 'http://lower:2',
      ALL_PROXY: 'http://all:3',
    });
    expect(choice.findProxy(openai)).toMatchObject({ host: 'lower', port: 2 });
    expect(choice.findProxy(plain)).toMatchObject({ host: 'all', port: 3 });
    expect(readUpstreamProxies({}).findProxy(openai)).toBeUndefined();
    expect(readUpstreamProxies({ HTTPS_PROXY: '' }).findProxy(openai)).toBeUndefined();
  });

  it.each([
    ['proxy.corp:3128', { scheme: 'http', host: 'proxy.corp', port: 3128 }],
    ['http://proxy.corp', { scheme: 'http', host: 'proxy.corp', port: 80 }],
    ['https://proxy.corp/', { scheme: 'https', host: 'proxy.corp', port: 443 }],
    ['http://[::1]:8080', { scheme: 'http', host: '::1', port: 8080 }],
  ])('read %s', (text, expected) => {
    const proxy = readUpstreamProxies({ https_proxy: text }).findProxy(openai);
    expect(proxy).toEqual({ ...expected, authorization: null });
  });

  it.each([
    ['http://me:p%40ss@proxy:1', 'me:p@ss'],
    ['http://me@proxy:1', 'me:'],
    ['http://me:100%@proxy:1', 'me:100%'],
  ])('take credentials out of %s and never show them', (text, pair) => {
    const proxy = readUpstreamProxies({ https_proxy: text }).findProxy(openai);
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from(pair).toString('base64')}`);
    expect(proxy && describeProxy(proxy)).toBe('http://proxy:1');
  });

  it.each(['socks5://me:sekret@proxy:1080', 'socks4a://proxy:1', 'ftp://me:sekret@proxy'])(
    'refuse %s in a sentence without its password',
    (text) => {
      const read = (): unknown => readUpstreamProxies({ ALL_PROXY: text });
      expect(read).toThrow(
        expect.objectContaining({ code: 'PROXY_UNSUPPORTED', hint: expect.stringContaining('http://') }),
      );
      expect(read).not.toThrow(/sekret/);
    },
  );

  it('refuse what is no URL without repeating it', () => {
    const read = (): unknown => readUpstreamProxies({ HTTPS_PROXY: 'http://me:sekret@pro xy:1' });
    expect(read).toThrow(
      expect.objectContaining({ code: 'PROXY_UNSUPPORTED', message: expect.stringContaining('HTTPS_PROXY') }),
    );
    expect(read).not.toThrow(/sekret/);
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['*', 'api.openai.com', true],
    ['openai.com', 'api.openai.com', true],
    ['.openai.com', 'api.openai.com', true],
    ['*.openai.com', 'api.openai.com', true],
    ['OpenAI.com.', 'api.openai.com', true],
    ['openai.com', 'notopenai.com', false],
    ['a, b  api.openai.com', 'api.openai.com', true],
    ['api.openai.com:443', 'api.openai.com', true],
    ['api.openai.com:8443', 'api.openai.com', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/8', 'api.openai.com', false],
    ['10.0.0.0/99', '10.1.2.3', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd12::1', 'fd12::1', true],
    ['[fd12::1]:443', 'fd12::1', true],
    ['[fd12::1]:1', 'fd12::1', false],
    ['', 'api.openai.com', false],
    [',,', 'api.openai.com', false],
    ['.', 'api.openai.com', false],
  ])('%j for %s: %s', (noProxy, host, expected) => {
    expect(isException(noProxy, host)).toBe(expected);
  });
});

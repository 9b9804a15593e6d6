import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAuthority, normaliseHost, readAuthority } from '../../src/proxy/authority-form.js';

describe('readAuthority', () => {
  it.each([
    ['api.openai.com:443', { host: 'api.openai.com', port: 443 }],
    ['API.OpenAI.com.:8443', { host: 'api.openai.com', port: 8443 }],
    ['api.openai.com', { host: 'api.openai.com', port: 443 }],
    ['[::1]:443', { host: '::1', port: 443 }],
    ['[FE80::1]', { host: 'fe80::1', port: 443 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
  ])('reads %s', (text, expected) => {
    expect(readAuthority(text, 443)).toEqual(expected);
  });

  it.each([
    '',
    ':443',
    'host:',
    'host:0',
    'host:65536',
    'host:443:1',
    '::1:443',
    '[::1',
    'a/b:443',
    'u@h:1',
    'a b:1',
    '[x]:1',
    '.:443',
    'h:1e2',
  ])('refuses %j', (text) => {
    expect(readAuthority(text, 443)).toBeUndefined();
  });

  it('reads back whatever formatAuthority wrote, for names and both kinds of address', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().filter((text) => !text.includes('%')),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65535 }), (name, port) => {
        expect(readAuthority(formatAuthority(name, port), 1)).toEqual({ host: normaliseHost(name), port });
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void readAuthority(text, 80)));
  });
});

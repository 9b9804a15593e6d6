import { describe, expect, it } from 'vitest';
import { applyConnectTo, readConnectTo } from '../../src/proxy/connect-to.js';

const named = { host: 'api.openai.com', port: 443 };

describe('--connect-to', () => {
  it.each([
    ['api.openai.com:443:127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
    ['::127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
    [':443::8443', { host: 'api.openai.com', port: 8443 }],
    ['API.OpenAI.com::[::1]:', { host: '::1', port: 443 }],
    ['api.anthropic.com:443:127.0.0.1:8443', named],
    [':80:127.0.0.1:8443', named],
  ])('%s sends api.openai.com:443 where it says', (text, expected) => {
    expect(applyConnectTo([readConnectTo(text)], named)).toEqual(expected);
  });

  it('matches an IPv6 address in brackets', () => {
    const rule = readConnectTo('[::1]:443:127.0.0.1:1');
    expect(applyConnectTo([rule], { host: '::1', port: 443 })).toEqual({ host: '127.0.0.1', port: 1 });
  });

  it('takes the first rule that matches', () => {
    const rules = ['x.example:443:a:1', ':443:b:2', ':443:c:3'].map(readConnectTo);
    expect(applyConnectTo(rules, named)).toEqual({ host: 'b', port: 2 });
  });

  it.each([
    '',
    'host',
    'host:443',
    'host:443:127.0.0.1',
    'h:443:a:0',
    'h:70000:a:1',
    '::1:443:a:1',
    'h:x:a:1',
    'h:1:a:1:2',
  ])('refuses %j with a sentence that names it', (text) => {
    expect(() => readConnectTo(text)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(`"${text}"`) }),
    );
  });

  it.each(['api.openai.com/v1:443:127.0.0.1:8443', 'a b:443:127.0.0.1:1', ':443:u@h:1', 'https//x:443:a:1'])(
    'refuses %j rather than apply it to every host',
    (text) => {
      expect(() => readConnectTo(text)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    },
  );
});

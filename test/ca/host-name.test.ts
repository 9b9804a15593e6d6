import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requireHostName } from '../../src/ca/host-name.js';

describe('requireHostName', () => {
  test.each([
    ['api.openai.com', 'api.openai.com'],
    ['API.OpenAI.com.', 'api.openai.com'],
    ['localhost', 'localhost'],
    ['my_host.internal', 'my_host.internal'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['1password.com', '1password.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['[2001:DB8:0:0:0:0:0:1]', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  ])('takes %j as %j', (text, name) => {
    expect(requireHostName(text)).toBe(name);
  });

  test.each([
    '',
    '.',
    '..',
    '../../etc',
    '..\\..\\etc',
    'a/b',
    'a\\b',
    '*.x',
    '*',
    'a'.repeat(300),
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
    'evil\0.example',
    'a\nb',
    'a b',
    '[::1',
    '::1]',
    '[]',
    '[api.openai.com]',
    '[127.0.0.1]',
    'fe80::1%eth0',
    ':::',
    'host:443',
    'user@host',
    'a..b',
    '.a',
    '-a.com',
    'a-.com',
    'bücher.example',
    '999.1.1.1',
    '1.2.3',
    '127.1',
    '0x7f.0x1',
    'example.com..',
  ])('refuses %j', (text) => {
    expect(() => requireHostName(text)).toThrowError(expect.objectContaining({ code: 'HOST_NAME_INVALID' }));
  });

  test('gives nothing but letters, digits, dots, hyphens, underscores and colons, and gives it again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6()), (text) => {
        let name: string;
        try {
          name = requireHostName(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'HOST_NAME_INVALID' });
          return;
        }
        expect(name).toMatch(/^[a-z0-9._:-]{1,253}$/);
        expect(name).not.toContain('..');
        expect(requireHostName(name)).toBe(name);
      }),
    );
  });

  test('keeps a long refused name short in its message', () => {
    expect(() => requireHostName('a'.repeat(100_000))).toThrowError(/^.{1,200}$/);
  });
});

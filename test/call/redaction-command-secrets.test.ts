import { describe, expect, it } from 'vitest';
import { redactCommand } from '../../src/call/redaction.js';

const secret = 'canary-plain-secret-value-42';
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Every form of the secret that a reader could turn back. */
const twins = [secret, encodeURIComponent(`${secret}/+`), base64(secret), base64(`x${secret}`), base64(`me:${secret}`)];

describe('a secret of a command line', () => {
  it.each([
    ['the value of an option', ['--api-key', secret]],
    ['the value after an equals sign', [`--token=${secret}`]],
    ['a password of curl', ['-u', `me:${secret}`]],
    ['a header', ['-H', `X-Api-Key: ${secret}`]],
    ['a bearer token', ['-H', `Authorization: Bearer ${secret}`]],
    ['a variable', ['env', `MY_SECRET=${secret}`]],
    ['a variable within a script', ['bash', '-c', `API_TOKEN='${secret}' other --password ${secret} x`]],
    ['user info of a URL', [`https://me:${secret}@host.example/`]],
  ])('that is %s is masked in other arguments, too, in any form', (_, shown) => {
    const kept = redactCommand(['agent', ...shown, ...twins, 'plain words'], []).join('\n');
    expect(kept).not.toContain(secret);
    for (const twin of twins) expect(kept).not.toContain(twin.slice(4, 24));
    expect(kept).toContain('plain words');
    expect(redactCommand(['agent', ...twins, ...shown], []).join('\n')).not.toContain(base64(secret).slice(4, 24));
  });

  it('is found in Basic credentials', () => {
    const argv = ['curl', '-H', `Authorization: Basic ${base64(`me:${secret}`)}`, secret];
    expect(redactCommand(argv, []).join('\n')).not.toContain(secret);
  });

  it('takes nothing from a command line without one', () => {
    const argv = ['agent', '--max-tokens', '512', '--model=gpt-4o', 'say: hello'];
    expect(redactCommand(argv, [])).toEqual(argv);
  });
});

import { describe, expect, it } from 'vitest';
import { TrackerError } from '../../src/core/errors.js';
import type { ProviderRegistration } from '../../src/core/wire.js';
import { readProviderFlag } from '../../src/providers/read-provider-flag.js';
import { readRegistration } from '../../src/providers/registration.js';

function catchError(run: () => unknown): TrackerError {
  try {
    run();
  } catch (error) {
    if (error instanceof TrackerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const good: ProviderRegistration = { name: 'local', baseUrl: 'http://localhost:1234' };

describe('a registration', () => {
  it('is read into origin and prefix, the default port filled in', () => {
    expect(readRegistration({ name: 'a', baseUrl: 'HTTPS://LLM.Example./v1//' })).toEqual({
      name: 'a',
      origin: { scheme: 'https', host: 'llm.example', port: 443 },
      prefix: '/v1',
      dialect: 'openai',
      pathPatterns: [],
    });
    expect(readRegistration({ name: 'a', baseUrl: 'http://[::1]' }).origin).toEqual({
      scheme: 'http',
      host: '::1',
      port: 80,
    });
  });

  it.each([
    ['a name that is empty', { name: '' }, /^Could not register a provider: its name is ""\.$/],
    ['a name with capitals', { name: 'Local' }, /its name is "Local"/],
    ['a name that is too long', { name: 'a'.repeat(65) }, /its name is "a/],
    ['a base URL that is none', { baseUrl: 'localhost' }, /"local": its base URL "localhost" is no URL\.$/],
    ['another scheme', { baseUrl: 'ftp://localhost' }, /its base URL has the scheme "ftp:"/],
    ['a scheme left out', { baseUrl: 'localhost:11434' }, /its base URL has the scheme "localhost:"/],
    ['a wildcard host', { baseUrl: 'https://*.example.com' }, /the wildcard host "\*\.example\.com"/],
    ['a query', { baseUrl: 'https://a.example/?key=1' }, /has a query or fragment/],
    ['an unknown dialect', { dialect: 'cohere' }, /its dialect is "cohere"/],
    ['a pattern without a slash', { pathPatterns: ['chat'] }, /its path pattern is "chat"/],
    ['a pattern with two stars in a segment', { pathPatterns: ['/*a*'] }, /its path pattern is "\/\*a\*"/],
    ['too many patterns', { pathPatterns: Array<string>(65).fill('/a') }, /it has 65 path patterns/],
  ])('is refused for %s', (_, wrong, message) => {
    // What a caller without types may pass.
    const error = catchError(() => readRegistration({ ...good, ...wrong } as ProviderRegistration));
    expect(error.code).toBe('PROVIDER_INVALID');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/\.$/);
  });

  it.each([
    [null, 'it is no object'],
    [{ baseUrl: 'http://localhost' }, 'its name is undefined'],
    [{ name: 'mine' }, 'its base URL is undefined'],
    [{ ...good, pathPatterns: '/talk' }, 'its path patterns are no list of texts'],
    [{ ...good, pathPatterns: [7] }, 'its path patterns are no list of texts'],
  ])('of a caller without types is refused as well: %o', (given, found) => {
    const error = catchError(() => readRegistration(given as unknown as ProviderRegistration));
    expect(error).toMatchObject({ code: 'PROVIDER_INVALID', hint: expect.stringContaining('baseUrl') as string });
    expect(error.message).toContain(found);
  });

  it.each(['https://me:hunter2@llm.example', 'me:hunter2@llm.example:x', '//me:hunter2@llm.example'])(
    'that holds a password is refused without saying it: %s',
    (baseUrl) => {
      const error = catchError(() => readRegistration({ ...good, baseUrl }));
      expect(error.code).toBe('PROVIDER_INVALID');
      expect(`${error.message} ${error.hint}`).not.toContain('hunter2');
    },
  );
});

describe('a registration in one text', () => {
  it('is a name and a base URL', () => {
    expect(readProviderFlag('ollama=http://localhost:11434')).toEqual({
      name: 'ollama',
      baseUrl: 'http://localhost:11434',
    });
  });

  it('has another dialect after a plus', () => {
    expect(readProviderFlag(' gateway+anthropic = https://llm.example/claude ')).toEqual({
      name: 'gateway',
      baseUrl: 'https://llm.example/claude',
      dialect: 'anthropic',
    });
  });

  it.each([
    ['ollama', /it has no "="/],
    ['', /it has no "="/],
    ['=http://localhost', /its name is ""/],
    ['a=', /its base URL "" is no URL/],
    ['a+cohere=http://localhost', /its dialect is "cohere"/],
    ['a+=http://localhost', /its dialect is ""/],
    ['a+openai+google=http://localhost', /more than one dialect/],
  ])('is refused as %s', (text, message) => {
    const error = catchError(() => readProviderFlag(text));
    expect(error.code).toBe('PROVIDER_INVALID');
    expect(error.message).toMatch(message);
  });
});

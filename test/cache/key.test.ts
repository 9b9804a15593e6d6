import { describe, expect, it } from 'vitest';
import { type CacheKey, type KeyedRequest, makeCacheKey } from '../../src/cache/key.js';

const origin = { scheme: 'https', host: 'api.openai.com', port: 443 } as const;
const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };

type Given = Partial<Omit<KeyedRequest, 'body'>> & { readonly body?: object | string };

function read({ body = chat, ...given }: Given = {}, salt = 'salt') {
  const request = { provider: 'openai', api: 'chat.completions', origin, path: '/v1/chat/completions', rawHeaders: [] };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return makeCacheKey({ ...request, stream: false, isShared: false, ...given, body: Buffer.from(text) }, salt);
}

function make(given: Given = {}, salt = 'salt'): CacheKey {
  const reading = read(given, salt);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.key;
}

const key = (given: Given = {}, salt = 'salt') => make(given, salt).key;

describe('the key of a request', () => {
  it('C4 is the same each time', () => {
    expect(key()).toMatch(/^[0-9a-f]{64}$/);
    expect(key()).toBe(key());
  });

  it('C5 differs with the content', () => {
    expect(key({ body: { ...chat, messages: [{ role: 'user', content: 'Ho' }] } })).not.toBe(key());
  });

  it('C6 differs with the model', () => {
    expect(key({ body: { ...chat, model: 'gpt-4o-mini' } })).not.toBe(key());
  });

  it('C7 is the same for a stream and a whole reply, which are variants of it', () => {
    const [whole, stream, said] = [
      make(),
      make({ body: { ...chat, stream: true }, stream: true }),
      make({ body: { ...chat, stream: false } }),
    ];
    expect(new Set([whole.key, stream.key, said.key]).size).toBe(1);
    expect([whole.variant, stream.variant, said.variant]).toEqual(['json', 'stream', 'json']);
  });

  it('C7 keeps streams of other frames apart', () => {
    const options = { include_usage: true };
    const counted = make({ body: { ...chat, stream: true, stream_options: options }, stream: true });
    expect(counted.key).toBe(key());
    expect(counted.variant).toBe('stream {"options":{"include_usage":true}}');
  });

  it('C8 does not depend on the order of members', () => {
    expect(key({ body: '{"messages":[{"content":"Hi","role":"user"}],"model":"gpt-4o"}' })).toBe(key());
  });

  it('C9 differs with the model in a Gemini path', () => {
    const google = { provider: 'google', api: 'generateContent', body: { contents: [] } };
    const path = (model: string) => `/v1beta/models/${model}:generateContent`;
    expect(key({ ...google, path: path('gemini-2.5-pro') })).not.toBe(
      key({ ...google, path: path('gemini-2.5-flash') }),
    );
  });

  it('C10 is the same for the same path and body', () => {
    const google = {
      provider: 'google',
      path: '/v1beta/models/gemini-2.5-pro:generateContent',
      body: { contents: [] },
    };
    expect(key(google)).toBe(key(google));
  });

  it('B5 differs with who is asked', () => {
    expect(key({ origin: { ...origin, host: 'eu.api.openai.com' } })).not.toBe(key());
    expect(key({ origin: { ...origin, port: 8443 } })).not.toBe(key());
    expect(key({ origin: { ...origin, scheme: 'http' } })).not.toBe(key());
    expect(key({ provider: 'other' })).not.toBe(key());
  });

  it('takes Google and Bedrock streams, which have paths of their own, for variants', () => {
    const [whole, sse, array] = [
      make({ path: '/v1beta/models/g:generateContent' }),
      make({ path: '/v1beta/models/g:streamGenerateContent?alt=sse', stream: true }),
      make({ path: '/v1beta/models/g:streamGenerateContent', stream: true }),
    ];
    expect(new Set([whole.key, sse.key, array.key]).size).toBe(1);
    expect([whole.variant, sse.variant, array.variant]).toEqual(['json', 'stream {"framing":"sse"}', 'stream']);
    expect(key({ path: '/model/a/converse-stream' })).toBe(key({ path: '/model/a/converse' }));
    expect(key({ path: '/model/a/invoke-with-response-stream' })).toBe(key({ path: '/model/a/invoke' }));
  });

  it('differs with the headers that shape the answer, in whatever order their tokens come', () => {
    const beta = (value: string) => key({ rawHeaders: ['Anthropic-Beta', value] });
    expect(beta('a, b')).toBe(beta('b,a'));
    expect(beta('a')).not.toBe(key());
    for (const name of ['anthropic-version', 'OpenAI-Beta', 'openai-organization', 'X-Amzn-Bedrock-GuardrailVersion']) {
      expect(key({ rawHeaders: [name, '1'] }), name).not.toBe(key({ rawHeaders: [name, '2'] }));
    }
  });

  it('does not differ with headers of the client, its retries and its traces', () => {
    const rawHeaders = [
      'User-Agent',
      'x',
      'X-Stainless-Retry-Count',
      '2',
      'traceparent',
      '00-1',
      'Accept-Encoding',
      'br',
    ];
    expect(key({ rawHeaders })).toBe(key());
    expect(key({ rawHeaders, isShared: true })).toBe(key({ isShared: true }));
  });

  it('differs with the query, whatever its order, but not with a key in it', () => {
    const path = (query: string) => key({ path: `/v1/x?${query}` });
    expect(path('a=1&api-version=2')).toBe(path('api-version=2&a=1'));
    expect(path('api-version=2')).not.toBe(path('api-version=3'));
    expect(path('a=1&key=AIzaCanary')).toBe(path('a=1'));
  });

  it("does not differ with the credential of a provider's own API", () => {
    expect(key({ rawHeaders: ['Authorization', 'Bearer sk-1'] })).toBe(key());
  });

  it('B5 differs behind a shared gateway with the credential, and with every header that may shape the answer', () => {
    const shared = (...rawHeaders: string[]) => make({ rawHeaders, isShared: true });
    const [one, two] = [shared('Authorization', 'Bearer sk-1'), shared('Authorization', 'Bearer sk-2')];
    expect(one.key).not.toBe(two.key);
    expect([one.isBound, shared().isBound]).toEqual([true, false]);
    expect(shared('x-portkey-config', 'a').key).not.toBe(shared('x-portkey-config', 'b').key);
  });

  it('differs at a server behind a gate with whom the gate says is asking, not with whence', () => {
    const asked = (...rawHeaders: string[]) => key({ rawHeaders, isShared: true });
    for (const name of ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Forwarded-Access-Token'])
      expect(asked(name, 'ann')).not.toBe(asked(name, 'bob'));
    for (const name of ['X-Forwarded-For', 'X-Forwarded-Proto']) expect(asked(name, 'a')).toBe(asked(name, 'b'));
  });

  it('behind a shared gateway means nothing to who does not have the salt', () => {
    const bound = { rawHeaders: ['Authorization', 'Bearer sk-1'], isShared: true };
    expect(key(bound, 'one')).not.toBe(key(bound, 'two'));
    expect(key({}, 'one')).toBe(key({}, 'two'));
  });

  it('holds no secret in its parts', () => {
    const rawHeaders = ['Authorization', 'Bearer sk-canary', 'x-anything', 'sk-canary', 'openai-beta', 'x'];
    for (const isShared of [true, false]) {
      const { key, variant, parts } = make({ rawHeaders, isShared, path: '/v1/x?key=sk-canary' });
      expect(JSON.stringify([key, variant, parts()])).not.toContain('canary');
    }
  });

  it('tells its parts apart, each message by itself', () => {
    const parts = make({ rawHeaders: ['openai-beta', 'x'], path: '/v1/x?api-version=1' }).parts();
    expect(Object.keys(parts)).toEqual([
      ...['provider', 'origin', 'path', 'query.api-version', 'header.openai-beta'],
      ...['body.model', 'body.messages[0]'],
    ]);
  });

  it('bounds its parts, whatever the body has', () => {
    const body = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]));
    const messages = Array.from({ length: 5000 }, () => ({ role: 'user', content: 'Hi' }));
    expect(Object.keys(make({ body }).parts()).length).toBeLessThan(100);
    expect(Object.keys(make({ body: { messages } }).parts()).length).toBeLessThan(100);
  });
});

describe('what a request says of its stream', () => {
  it('is kept short, and apart from all else it may say', () => {
    const [a, b] = ['a', 'b'].map(
      (end) => make({ body: { stream_options: { note: 'x'.repeat(5000) + end } } }).variant,
    );
    expect(a?.length).toBeLessThan(200);
    expect(a).not.toBe(b);
  });

  it('is told by names of members cut short', () => {
    const name = 'n'.repeat(100_000);
    const parts = make({ path: `/v1/x?${name}=1`, body: { [name]: 1, metadata: { [name]: 1 } } }).parts();
    expect(Object.keys(parts).every((part) => part.length < 200)).toBe(true);
  });
});

describe('a request without a key', () => {
  it.each([
    ['no JSON', 'hello'],
    ['a list', '[1]'],
    ['an empty object', '{}'],
    ['a number no double holds', '{"seed":9007199254740993}'],
    ['a job in the background', '{"model":"m","background":true}'],
    ['nothing one can sort', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('is one whose body is %s', (_what, body) => {
    expect(read({ body })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^The call has no key, for .*\.$/),
    });
  });

  it('is one that goes on with what the provider keeps', () => {
    expect(read({ api: 'responses', body: { model: 'm', conversation: 'conv_1' } }).ok).toBe(false);
    expect(read({ api: 'messages', body: { model: 'm', container: 'c' } }).ok).toBe(false);
    expect(read({ api: 'conversations', body: { inputs: 'And then?' } }).ok).toBe(false);
    expect(read({ api: 'interactions', body: { model: 'm', environment: 'e' } }).ok).toBe(false);
    expect(read({ api: 'interactions', body: { model: 'm', previous_interaction_id: 'v1' } }).ok).toBe(true);
    expect(read({ api: 'responses', body: { model: 'm', previous_response_id: 'resp_1' } }).ok).toBe(true);
  });

  it('is one of an API that makes jobs', () => {
    expect(read({ api: 'other' }).ok).toBe(false);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { containsSecretShape, redactBody, redactText, redactUrl } from '../../src/call/redaction.js';
import { collectSecrets } from '../../src/call/secrets.js';
import type { JsonValue } from '../../src/core/call-record.js';

const none = collectSecrets({ requestHeaders: [], url: '' });
const known = 'canary-known-secret-value';
const withKnown = collectSecrets({ requestHeaders: ['Authorization', `Bearer ${known}`], url: '' });
const letters = 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ0bC2eF4hJ6kM8';

/** The redacted form of a value's JSON, as text. */
function redactJson(value: JsonValue, policy: 'redacted' | 'full' = 'redacted', secrets = withKnown): string {
  const text = JSON.stringify(value);
  return JSON.stringify(redactBody({ text, contentType: 'application/json', policy, secrets }));
}

const keys: readonly (readonly [string, string])[] = [
  ['OpenAI', `sk-${letters}`],
  ['OpenAI project', `sk-proj-${letters}-${letters}`],
  ['Anthropic', `sk-ant-api03-${letters}_${letters}-AA`],
  ['Anthropic OAuth', `sk-ant-oat01-${letters}`],
  ['OpenRouter', `sk-or-v1-${letters}`],
  ['Google', `AIza${letters.slice(0, 35)}`],
  ['Google OAuth', `ya29.${letters}`],
  ['AWS', 'AKIAIOSFODNN7EXAMPLE'],
  ['AWS session', 'ASIAIOSFODNN7EXAMPLE'],
  ['GitHub', `ghp_${letters.slice(0, 36)}`],
  ['GitHub OAuth', `gho_${letters.slice(0, 36)}`],
  ['GitHub fine-grained', `github_pat_${letters}_${letters}`],
  ['GitLab', `glpat-${letters.slice(0, 20)}`],
  ['Slack', `xoxb-1234567890-${letters}`],
  ['Slack webhook', `hooks.slack.com/services/T00000000/B00000000/${letters.slice(0, 24)}`],
  ['Hugging Face', `hf_${letters.slice(0, 34)}`],
  ['Groq', `gsk_${letters}`],
  ['Replicate', `r8_${letters.slice(0, 37)}`],
  ['Perplexity', `pplx-${letters}`],
  ['xAI', `xai-${letters}`],
  ['Stripe', `sk_live_${letters}`],
  ['npm', `npm_${letters.slice(0, 36)}`],
  ['JWT', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${letters}`],
  ['bearer', `Bearer ${letters}`],
];

describe('redactText', () => {
  it.each(keys)('masks a key of the form of %s', (_, key) => {
    for (const text of [`use ${key} now`, key, `"${key}"`, `k=${key}`, `a\\n${key}\\n`, `q%3D${key}`]) {
      const kept = redactText(text, none);
      expect(kept).toContain('[redacted:');
      expect(kept).not.toContain(key.slice(8, 24));
    }
  });

  it('says which kind of secret stood there', () => {
    expect(redactText(`sk-${letters}`, none)).toBe('[redacted:api-key]');
    expect(redactText(`ghp_${letters}`, none)).toBe('[redacted:token]');
    expect(redactText('postgres://app:s3cret@db:5432/x', none)).toBe('postgres://[redacted:credential]@db:5432/x');
  });

  it('masks private keys, whole and cut off', () => {
    const body = `${letters}\n${letters}\n`;
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${body}-----END RSA PRIVATE KEY-----`;
    expect(redactText(`a ${pem} b`, none)).toBe('a [redacted:private-key] b');
    expect(redactText(JSON.stringify(`a ${pem}!`), none)).toBe('"a [redacted:private-key]!"');
    expect(redactText(`a -----BEGIN PRIVATE KEY-----\n${body}`, none)).toBe('a [redacted:private-key]');
  });

  it.each([
    '{"max_tokens":4096,"prompt_tokens":12,"total_tokens":100}',
    'the task-1234567890-abcdefghij of risk-management-2024-plan is done',
    'A bearer of certificates wrote basic programming books.',
    'const token = getToken(); const apiKey = process.env.API_KEY; password: string;',
    'API_KEY=$OPENAI_KEY PASSWORD=$DB_PASS TOKEN=',
    'http://localhost:11434/v1/chat?limit=5 ssh://git@github.com/a/b',
    'MAX_TOKENS=100000000 "token":" the" tokens: 12',
    'eyJ is how a JWT begins, sk- is how a key does, cookie: a small text file',
  ])('leaves ordinary text as it is: %s', (text) => {
    expect(redactText(text, withKnown)).toBe(text);
  });

  it('masks values whose names give them away, however often the JSON around them is quoted', () => {
    const inner = JSON.stringify({ api_key: 'canary"plain', n: 1, password: 'back\\slash"quote' });
    for (const text of [inner, JSON.stringify({ a: inner }), JSON.stringify([JSON.stringify({ a: inner })])]) {
      const kept = redactText(text, none);
      for (const piece of ['canary', 'plain', 'back', 'slash', 'quote']) expect(kept).not.toContain(piece);
      expect(kept).toContain('n');
    }
    expect(redactText(inner, none)).toBe('{"api_key":"[redacted:api-key]","n":1,"password":"[redacted:password]"}');
  });

  it('masks assignments as in an environment file and header lines', () => {
    const text =
      'OPENAI_API_KEY=canaryvalue\nexport DB_PASSWORD="canary pass"\nAuthorization: Basic canary1234\nCookie: a=canary';
    const kept = redactText(text, none);
    expect(kept).not.toContain('canary');
    expect(kept.split('\n')).toHaveLength(4);
  });

  it('masks keys spelled with JSON escapes', () => {
    expect(redactText(`{"a":"\\u0073k-${letters}"}`, none)).toBe('{"a":"[redacted:api-key]"}');
  });

  it('finds nothing more in what it has redacted', () => {
    for (const [, key] of keys) {
      const once = redactText(`x ${key} "api_key": "${key}" ?token=${key} Authorization: Bearer ${key}`, withKnown);
      expect(redactText(once, withKnown)).toBe(once);
    }
  });
});

describe('redactUrl', () => {
  it('masks userinfo and the values of secret parameters, and nothing else', () => {
    const url = 'https://me:pass@example.com:8443/v1/models/gemini:generate?key=short&alt=sse&X-Amz-Signature=ab12#f';
    expect(redactUrl(url, none)).toBe(
      'https://[redacted:credential]@example.com:8443/v1/models/gemini:generate?key=[redacted:parameter]&alt=sse&X-Amz-Signature=[redacted:parameter]#f',
    );
  });

  it('masks a known secret in the path', () => {
    expect(redactUrl(`/v1/${known}/x?a=1`, withKnown)).toBe('/v1/[redacted:secret]/x?a=1');
  });
});

describe('containsSecretShape', () => {
  it('tells what has the form of a credential from an ordinary identifier', () => {
    for (const [, key] of keys) expect(containsSecretShape(key)).toBe(true);
    expect(containsSecretShape('password=hunter2hunter')).toBe(true);
    for (const id of ['', 'run-2026-11-21', '0b9fdc5e-9c5f-4c1c-8a2a-1f2e3d4c5b6a', 'support-agent/v2']) {
      expect(containsSecretShape(id)).toBe(false);
    }
  });
});

describe('redactBody of JSON', () => {
  it.each(['redacted', 'full'] as const)(
    'masks known secrets and keys in values, names and lists under %s',
    (policy) => {
      const [, google] = keys[5] ?? ['', ''];
      const value = {
        a: [known, { b: `x${known}y` }],
        [known]: 1,
        deep: { t: `say ${google}` },
        api_key: 'short',
        cookie: ['c1', 'c2'],
      };
      const kept = redactJson(value, policy);
      for (const secret of [known, google, 'short', 'c1', 'c2']) expect(kept).not.toContain(secret);
    },
  );

  it('returns what holds no secret unchanged', () => {
    const value = {
      model: 'gpt-4o',
      max_tokens: 100,
      usage: { prompt_tokens: 3, total_tokens: 5 },
      logprobs: { content: [{ token: ' Hello', bytes: [1, 2] }] },
      tools: [{ function: { name: 'login', parameters: { properties: { password: { type: 'string' } } } } }],
      stop: null,
      stream: true,
    };
    expect(redactJson(value)).toBe(JSON.stringify(value));
  });

  it('describes inline media under redacted and keeps it under full', () => {
    const bytes = Buffer.alloc(3000, 'pixel');
    const data = bytes.toString('base64');
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const value = {
      openai: { image_url: { url: `data:image/png;base64,${data}` } },
      anthropic: { source: { type: 'base64', media_type: 'image/jpeg', data } },
      gemini: { inlineData: { mimeType: 'image/webp', data } },
      audio: { input_audio: { data, format: 'wav' } },
      image: { b64_json: data },
    };
    const kept = redactJson(value);
    expect(kept).not.toContain(data.slice(0, 64));
    for (const type of ['image/png', 'image/jpeg', 'image/webp', 'audio/wav', 'application/octet-stream']) {
      expect(kept).toContain(`[media ${type} 3000 bytes sha256:${hash}]`);
    }
    expect(redactJson(value, 'full')).toBe(JSON.stringify(value));
  });

  it('removes a known secret out of kept media', () => {
    const data = Buffer.from(`${'p'.repeat(1500)}${known}${'q'.repeat(1500)}`).toString('base64');
    const kept = redactJson({ source: { media_type: 'image/png', data } }, 'full');
    expect(kept).toContain('[redacted:secret]');
  });

  it('bounds the depth of what it returns', () => {
    const depth = 100_000;
    const text = `${'{"a":'.repeat(depth)}"${known}"${'}'.repeat(depth)}`;
    const kept = JSON.stringify(redactBody({ text, contentType: null, policy: 'full', secrets: withKnown }));
    expect(kept).toContain('[nested too deeply to be kept]');
    expect(kept).not.toContain(known);
  });

  it('keeps a member named __proto__ a member', () => {
    const text = `{"__proto__":"${known}","a":1}`;
    const kept = redactBody({ text, contentType: null, policy: 'full', secrets: withKnown });
    expect(JSON.stringify(kept)).toBe('{"__proto__":"[redacted:secret]","a":1}');
  });

  it('masks a secret split over the items of a streamed JSON array', () => {
    const frame = (text: string): JsonValue => ({ candidates: [{ content: { parts: [{ text }] } }] });
    const kept = redactJson([
      frame(`it is ${known.slice(0, 9)}`),
      frame(known.slice(9, 16)),
      frame(`${known.slice(16)} ok`),
    ]);
    expect(kept).not.toContain(known.slice(9, 16));
    expect(kept).toContain('it is [redacted:secret]');
    expect(kept).toContain(' ok');
  });
});

describe('redactBody of media', () => {
  it.each(['redacted', 'full'] as const)('says what it was, under %s', (policy) => {
    const text = Buffer.from([0x7b, 0xff, 0xfb, 0x90, 0xe0, 0xfe, 0x00]).toString('utf8');
    const keep = (contentType: string) => redactBody({ text, contentType, policy, secrets: none });
    expect(keep('audio/mpeg')).toBe('[media audio/mpeg, not kept]');
    expect(keep('application/octet-stream')).toBe('[media application/octet-stream, not kept]');
  });

  it('keeps the fields of a form, without files and secrets, also when it is cut', () => {
    const head = (rest: string) => `--b\r\nContent-Disposition: form-data; ${rest}\r\n\r\n`;
    const field = `${head('name="prompt"')}use ${known}\r\n`;
    const file = head('name="file"; filename="a.wav"\r\nContent-Type: audio/wav');
    for (const end of ['RIFF\ufffd\u0000\r\n--b--\r\n', 'RIFF']) {
      const kept = redactBody({
        text: `${field}${file}${end}`,
        contentType: 'multipart/form-data; boundary=b',
        policy: 'full',
        secrets: withKnown,
      });
      expect(kept).toMatch(/name="prompt"\r\n\r\nuse \[redacted:/);
      expect(kept).toContain('Content-Type: audio/wav\r\n\r\n[media audio/wav, not kept]');
      expect(kept).not.toMatch(/RIFF/);
      expect(kept).not.toContain(known);
    }
  });

  it('keeps octets that are text', () => {
    const keep = (text: string) =>
      redactBody({ text, contentType: 'application/octet-stream', policy: 'full', secrets: none });
    expect(keep('{"a":1}')).toEqual({ a: 1 });
    expect(keep('plain')).toBe('plain');
  });
});

describe('redactBody of text', () => {
  const redact = (text: string, policy: 'redacted' | 'full' = 'redacted'): JsonValue =>
    redactBody({ text, contentType: 'application/json', policy, secrets: withKnown });

  it('masks names, keys and known secrets in JSON that was cut', () => {
    const text = JSON.stringify({
      api_key: 'canary-api',
      m: [{ t: `sk-${letters}` }],
      b: known,
      password: 'canary-pass',
    });
    for (let length = 1; length < text.length; length++) {
      const kept = String(JSON.stringify(redact(text.slice(0, length))));
      for (const secret of ['canary-', known, letters]) expect(kept).not.toContain(secret);
    }
  });

  it('masks the beginning of a known secret that the end of the text cuts', () => {
    for (let length = 6; length <= known.length; length++) {
      expect(redact(`{"a":"${known.slice(0, length)}`)).toBe('{"a":"[redacted:secret]');
    }
  });

  it('describes media in JSON that was cut', () => {
    const data = Buffer.alloc(3000, 'pixel').toString('base64');
    expect(redact(`{"x":"data:image/png;base64,${data}`)).toMatch(
      /^\{"x":"\[media image\/png 3000 bytes sha256:\w{16}\]$/,
    );
    expect(redact(`{"data":"${data}","y":`)).toMatch(/^\{"data":"\[media application\/octet-stream 3000 bytes/);
  });

  it('keeps text that is no JSON as text', () => {
    expect(redact('upstream says no')).toBe('upstream says no');
    expect(redact('')).toBe('');
  });
});

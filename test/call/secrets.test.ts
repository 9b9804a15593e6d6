import { describe, expect, it } from 'vitest';
import { redactText } from '../../src/call/redaction.js';
import { collectAmbientSecrets, collectSecrets } from '../../src/call/secrets.js';

const noHeaders: readonly string[] = [];

/** Whether a value counts as secret: whether the exchange's own set masks it in plain text. */
function isMasked(value: string, secrets = collectSecrets({ requestHeaders: noHeaders, url: '' })): boolean {
  return !redactText(`before ${value} after`, secrets).includes(value);
}

describe('collectSecrets', () => {
  it.each([
    ['Authorization', 'Bearer canary-alpha-one', 'canary-alpha-one'],
    ['authorization', 'canary-without-scheme', 'canary-without-scheme'],
    ['Proxy-Authorization', 'Bearer canary-proxy', 'canary-proxy'],
    ['X-Api-Key', 'canary-x-api', 'canary-x-api'],
    ['api-key', 'canary-azure', 'canary-azure'],
    ['x-goog-api-key', 'canary-goog', 'canary-goog'],
    ['Cookie', 'a=1; sid=canary-cookie; b=2', 'canary-cookie'],
    ['X-Amz-Security-Token', 'canary-session', 'canary-session'],
    ['x-custom-auth', 'canary-custom', 'canary-custom'],
    ['cf-access-client-secret', 'canary-cf', 'canary-cf'],
    ['Sec-WebSocket-Protocol', 'realtime, openai-insecure-api-key.canary-protocol, x', 'canary-protocol'],
  ])('takes the value of the header %s for a secret', (name, value, secret) => {
    const secrets = collectSecrets({ requestHeaders: ['Host', 'api.example.com', name, value], url: '' });
    expect(isMasked(secret, secrets)).toBe(true);
  });

  it('decodes the user and the password of basic credentials', () => {
    const encoded = Buffer.from('canary-user:canary-pass').toString('base64');
    const secrets = collectSecrets({ requestHeaders: ['Authorization', `Basic ${encoded}`], url: '' });
    for (const part of [encoded, 'canary-user', 'canary-pass']) expect(isMasked(part, secrets)).toBe(true);
  });

  it('takes the first pair of Set-Cookie in the response, and not its attributes', () => {
    const responseHeaders = ['Set-Cookie', '__cf_bm=canary-cookie; Path=/; Domain=example.com; Secure'];
    const secrets = collectSecrets({ requestHeaders: [], responseHeaders, url: '' });
    expect(isMasked('canary-cookie', secrets)).toBe(true);
    expect(isMasked('Domain=example.com', secrets)).toBe(false);
  });

  it.each([
    ['x-claude-code-session-id', '0b9fdc5e-session-canary'],
    ['session-id', 'session-canary-1234'],
    ['x-ratelimit-remaining-tokens', '149984'],
    ['anthropic-ratelimit-input-tokens-reset', '2026-01-01T00:00:00Z'],
    ['anthropic-ratelimit-tokens-limit', 'unlimited-plan'],
    ['idempotency-key', 'stainless-node-retry-1'],
    ['www-authenticate', 'Bearer realm="api.example.com"'],
    ['x-author', 'somebody-known'],
    ['access-control-allow-headers', 'x-api-key, authorization'],
  ])('leaves the header %s alone', (name, value) => {
    expect(isMasked(value, collectSecrets({ requestHeaders: [name, value], url: '' }))).toBe(false);
  });

  it.each(['key', 'api_key', 'apikey', 'access_token', 'token', 'sig', 'X-Amz-Signature', 'code', 'client_secret'])(
    'takes the query parameter %s for a secret, as sent and decoded',
    (name) => {
      const secrets = collectSecrets({
        requestHeaders: [],
        url: `https://h/v1?alt=sse&${name}=canary%2Fvalue%3D#frag`,
      });
      for (const form of ['canary%2Fvalue%3D', 'canary%2fvalue%3d', 'canary/value='])
        expect(isMasked(form, secrets)).toBe(true);
    },
  );

  it('takes the password of the URL for a secret', () => {
    const secrets = collectSecrets({ requestHeaders: [], url: 'https://someone:canary-pass@host/v1' });
    expect(isMasked('canary-pass', secrets)).toBe(true);
  });

  it('finds a secret in base64 at every alignment, percent-encoded, and escaped once and twice as JSON', () => {
    const secret = 'canary/"quoted"+secret';
    const secrets = collectSecrets({ requestHeaders: ['x-api-key', secret], url: '' });
    for (const pad of ['', 'x', 'xy', 'xyz']) {
      const encoded = Buffer.from(`${pad}${secret}tail`).toString('base64');
      expect(redactText(encoded, secrets)).toContain('[redacted:secret]');
      const forUrl = Buffer.from(`${pad}${secret}tail`).toString('base64url');
      expect(redactText(forUrl, secrets)).toContain('[redacted:secret]');
    }
    const json = JSON.stringify({ a: secret });
    for (const form of [encodeURIComponent(secret), json, JSON.stringify({ b: json })]) {
      expect(redactText(form, secrets)).toContain('[redacted:secret]');
      expect(redactText(form, secrets)).not.toContain('quoted');
    }
  });

  it('does not search for short values and for words that stand where no key is needed', () => {
    const headers = ['Authorization', 'Bearer ollama', 'x-api-key', 'EMPTY', 'api-key', 'abc'];
    const secrets = collectSecrets({ requestHeaders: headers, url: '' });
    expect(redactText('ollama runs EMPTY abc', secrets)).toBe('ollama runs EMPTY abc');
  });
});

describe('collectAmbientSecrets', () => {
  it('takes the values of variables named as secrets are', () => {
    const env = {
      OPENAI_API_KEY: 'canary-openai',
      GITHUB_TOKEN: 'canary-github',
      DB_PASSWORD: 'canary-db-pass',
      AWS_SECRET_ACCESS_KEY: 'canary-aws-secret',
      MY_PRIVATE_KEY: 'canary-private',
      DATABASE_URL: 'postgres://app:canary-pg-pass@db/app',
      HTTPS_PROXY: 'http://me:canary-proxy@proxy:3128',
    };
    const found = collectAmbientSecrets(env);
    expect(found.toSorted()).toEqual(
      [
        ...['canary-openai', 'canary-github', 'canary-db-pass', 'canary-aws-secret', 'canary-private'],
        ...['canary-pg-pass', 'canary-proxy'],
      ].toSorted(),
    );
  });

  it('leaves paths, numbers, booleans, short values and keys of maps alone', () => {
    const env = {
      PATH: '/usr/bin:/bin',
      SSH_AUTH_SOCK: '/tmp/ssh/agent.1',
      GOOGLE_APPLICATION_CREDENTIALS: '/home/me/credentials.json',
      MAX_TOKENS: '100000000',
      TOKENIZERS_PARALLELISM: 'false-or-not',
      API_TOKEN: 'short',
      LLMTAP_CONFIG_KEY: 'support-agent-v2-2026',
      CACHE_TOKEN: 'true',
      HOME: 'a-home-directory',
    };
    expect(collectAmbientSecrets(env)).toEqual([]);
  });

  it.each([
    ...['MYSQL_PWD', 'SMTP_PASS', 'DB_PW', 'PGPASS', 'GH_PAT', 'SLACK_WEBHOOK', 'SENTRY_DSN', 'REDIS_PASS_1', 'DBPASS'],
    ...['OPENAI_KEY', 'AZURE_OPENAI_KEY', 'openai_key', 'API_KEY_OLD', 'GEMINI_PROD_KEY'],
  ])('takes a value of eight characters without a digit for a secret in %s', (name) => {
    expect(collectAmbientSecrets({ [name]: 'canaryxy' })).toEqual(['canaryxy']);
  });

  it.each([
    ...['PWD', 'OLDPWD', 'BYPASS', 'PASS_THROUGH', 'PATCHES', 'PATH_INFO', 'COMPASS', 'SORT_KEY', 'PRIMARY_KEY'],
    ...['XPC_SERVICE_NAME', 'DSNAME', 'SHOPWARE'],
  ])('leaves the variable %s alone', (name) => {
    expect(collectAmbientSecrets({ [name]: 'canaryxy' })).toEqual([]);
  });

  it('leaves a path in a variable named as secrets are alone', () => {
    expect(collectAmbientSecrets({ SMTP_PASS: '/run/secrets/smtp', GH_PAT: './pat/file' })).toEqual([]);
  });

  it('searches what it found in every text of an exchange', () => {
    const ambient = collectAmbientSecrets({ OPENAI_API_KEY: 'canary-openai' });
    const secrets = collectSecrets({ requestHeaders: [], url: '', ambient });
    expect(redactText('key is canary-openai!', secrets)).toBe('key is [redacted:secret]!');
  });
});

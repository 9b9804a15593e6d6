import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChildEnvOptions, makeChildEnv } from '../../src/activation/child-env.js';
import { findJavaProperty, makeJavaOptions } from '../../src/activation/java-options.js';
import { findHiddenHosts, makeNoProxy } from '../../src/activation/no-proxy.js';
import { addRequire, readNodeOptions } from '../../src/activation/node-options.js';
import { caFileVariables } from '../../src/core/ca-variables.js';
import type { Origin } from '../../src/core/wire.js';

const local: Origin = { scheme: 'http', host: 'localhost', port: 11434 };

function makeOptions(parentEnv: ChildEnvOptions['parentEnv'], more: Partial<ChildEnvOptions> = {}): ChildEnvOptions {
  return {
    parentEnv,
    proxyUrl: 'http://127.0.0.1:4000',
    caPath: '/home/ca.pem',
    extraCaPath: '/home/extra.pem',
    bundleFor: (userFile) => `/home/bundle-of-${userFile ?? 'system'}`,
    sessionFolder: '/home/sessions/sess_0123456789ab',
    hookPath: '/opt/llm tap/node-hook.cjs',
    registered: [],
    ...more,
  };
}

describe('the environment of a child', () => {
  it('names proxy, roots, hook and files in every variable clients were found to read', () => {
    const system = '/home/bundle-of-system';
    const folder = '/home/sessions/sess_0123456789ab';
    expect(makeChildEnv(makeOptions({}))).toEqual({
      HTTPS_PROXY: 'http://127.0.0.1:4000',
      https_proxy: 'http://127.0.0.1:4000',
      HTTP_PROXY: 'http://127.0.0.1:4000',
      http_proxy: 'http://127.0.0.1:4000',
      NO_PROXY: 'localhost,127.0.0.1,::1',
      no_proxy: 'localhost,127.0.0.1,::1',
      NODE_EXTRA_CA_CERTS: '/home/extra.pem',
      DENO_CERT: '/home/ca.pem',
      SSL_CERT_FILE: system,
      CURL_CA_BUNDLE: system,
      REQUESTS_CA_BUNDLE: system,
      GIT_SSL_CAINFO: system,
      npm_config_cafile: system,
      PIP_CERT: system,
      CARGO_HTTP_CAINFO: system,
      AWS_CA_BUNDLE: system,
      PERL_LWP_SSL_CA_FILE: system,
      NODE_USE_ENV_PROXY: '1',
      NODE_OPTIONS: '--require="/opt/llm tap/node-hook.cjs"',
      LLMTAP_HOOK: '{"proxy":"http://127.0.0.1:4000","noProxy":"localhost,127.0.0.1,::1","registered":[]}',
      CLINE_HUB_DISCOVERY_PATH: join(folder, 'cline-hub.json'),
      WGETRC: join(folder, 'wgetrc'),
      PHP_INI_SCAN_DIR: `${delimiter}${join(folder, 'php')}`,
    });
  });

  it('extends the file each client would have read', () => {
    const env = makeChildEnv(
      makeOptions({
        SSL_CERT_FILE: '/corp.pem',
        CURL_CA_BUNDLE: '/curl.pem',
        HTTPS_CA_FILE: '/perl.pem',
        PIP_CERT: '',
      }),
    );
    expect(env).toMatchObject({
      SSL_CERT_FILE: '/home/bundle-of-/corp.pem',
      CURL_CA_BUNDLE: '/home/bundle-of-/curl.pem',
      REQUESTS_CA_BUNDLE: '/home/bundle-of-/curl.pem',
      CARGO_HTTP_CAINFO: '/home/bundle-of-/corp.pem',
      PIP_CERT: '/home/bundle-of-/curl.pem',
      PERL_LWP_SSL_CA_FILE: '/home/bundle-of-/perl.pem',
      GIT_SSL_CAINFO: '/home/bundle-of-system',
    });
    expect(env.HTTPS_CA_FILE).toBe('/home/bundle-of-/perl.pem');
  });

  it('extends every variable the merged bundle is made from, where the user set it', () => {
    const preset = Object.fromEntries(caFileVariables.map((name) => [name, `/own/${name}.pem`]));
    const env = makeChildEnv(makeOptions(preset));
    for (const name of caFileVariables.filter((name) => name !== 'NODE_EXTRA_CA_CERTS')) {
      expect([name, env[name]]).toEqual([name, `/home/bundle-of-/own/${name}.pem`]);
    }
    expect(env.NODE_EXTRA_CA_CERTS).toBe('/home/extra.pem');
  });

  it('names a file of certificates in no variable the merged bundle does not take in', () => {
    const named = Object.entries(makeChildEnv(makeOptions({}))).filter(([, value]) => /^\/home\/[^/]*$/.test(value));
    expect(caFileVariables).toEqual(expect.arrayContaining(named.map(([name]) => name)));
    expect(named.length).toBeGreaterThan(8);
  });

  it('extends variables that outrank ours only where the user set them', () => {
    const env = makeChildEnv(makeOptions({ CODEX_CA_CERTIFICATE: '/codex.pem', DENO_CERT: '/deno.pem' }));
    expect(env.CODEX_CA_CERTIFICATE).toBe('/home/bundle-of-/codex.pem');
    expect(env.DENO_CERT).toBe('/home/bundle-of-/deno.pem');
    expect(makeChildEnv(makeOptions({}))).not.toHaveProperty('CODEX_CA_CERTIFICATE');
  });

  it('leaves ALL_PROXY as it was', () => {
    const env = makeChildEnv(makeOptions({ ALL_PROXY: 'socks5://corp:1080', all_proxy: 'socks5://corp:1080' }));
    expect(Object.keys(env).filter((name) => /^all_proxy$/i.test(name))).toEqual([]);
  });

  it('overrides the hook of a session around it without loading the file twice', () => {
    const outer = makeChildEnv(makeOptions({ NODE_OPTIONS: '--no-warnings', PHP_INI_SCAN_DIR: '/php' }));
    const inner = makeChildEnv(makeOptions(outer, { proxyUrl: 'http://127.0.0.1:5000' }));
    expect(inner.NODE_OPTIONS).toBe(outer.NODE_OPTIONS);
    expect(JSON.parse(inner.LLMTAP_HOOK ?? '')).toMatchObject({ proxy: 'http://127.0.0.1:5000' });
    expect(inner.HTTPS_PROXY).toBe('http://127.0.0.1:5000');
    expect(outer.PHP_INI_SCAN_DIR).toBe(`/php${delimiter}/home/sessions/sess_0123456789ab/php`);
  });

  it('tells the hook of registered models, IPv6 in brackets', () => {
    const env = makeChildEnv(
      makeOptions({}, { registered: [local, { scheme: 'https', host: 'fd00::1', port: 8443 }] }),
    );
    expect(JSON.parse(env.LLMTAP_HOOK ?? '')).toMatchObject({
      noProxy: '',
      registered: ['http://localhost:11434', 'https://[fd00::1]:8443'],
    });
    expect(env.NO_PROXY).toBe('');
    expect(env.no_proxy).toBe('');
  });

  it('sets JAVA_TOOL_OPTIONS when Java was asked for, and never else', () => {
    const java = { trustStorePath: '/t/store', trustStorePassword: 'changeit', trustStoreType: 'JKS' } as const;
    const env = makeChildEnv(makeOptions({ JAVA_TOOL_OPTIONS: '-Xmx1g' }, { java }));
    expect(env.JAVA_TOOL_OPTIONS).toMatch(/^-Xmx1g -Dhttp\.proxyHost=127\.0\.0\.1 /);
    expect(makeChildEnv(makeOptions({ JAVA_TOOL_OPTIONS: '-Xmx1g' }))).not.toHaveProperty('JAVA_TOOL_OPTIONS');
  });
});

describe('the list of hosts that stay direct', () => {
  it.each<[string, readonly (string | undefined)[], readonly Origin[], string]>([
    ['adds loopback to nothing', [undefined, undefined], [], 'localhost,127.0.0.1,::1'],
    [
      'merges both letter cases',
      ['a.corp, b.corp', 'b.corp c.corp'],
      [],
      'a.corp,b.corp,c.corp,localhost,127.0.0.1,::1',
    ],
    ['says nothing twice', ['localhost,::1', 'localhost'], [], 'localhost,::1,127.0.0.1'],
    ['leaves a lone star alone', ['*', 'a.corp'], [local], '*'],
    ['keeps an entry that hides a provider', ['api.openai.com'], [], 'api.openai.com,localhost,127.0.0.1,::1'],
    [
      'drops every spelling of loopback for a model there',
      ['localhost,127.0.0.1,[::1],::1,127.0.0.0/8,127.*,.localhost,localhost:11434,a.corp', undefined],
      [local],
      'a.corp',
    ],
    [
      'keeps an excepted port that is not the model’s',
      ['localhost:3000,[::1]:3000'],
      [local],
      'localhost:3000,[::1]:3000',
    ],
    ['keeps loopback for a model elsewhere', ['a'], [{ ...local, host: 'gpu.corp' }], 'a,localhost,127.0.0.1,::1'],
  ])('%s', (_title, previous, registered, expected) => {
    expect(makeNoProxy({ previous, registered })).toBe(expected);
  });
});

describe('the hosts a NO_PROXY hides', () => {
  const hosts = ['api.openai.com', 'gpu.corp:8080', '10.1.2.3', '[fd00::1]:8443'];

  it.each<[string, readonly string[]]>([
    ['', []],
    ['localhost,127.0.0.1,::1', []],
    ['*', hosts],
    ['.openai.com', ['api.openai.com']],
    ['*.openai.com', ['api.openai.com']],
    ['*openai.com', ['api.openai.com']],
    ['a.test, API.OpenAI.com.', ['api.openai.com']],
    ['openai.com:443', ['api.openai.com']],
    ['openai.com:8443', []],
    ['ai.com,openai.co,xapi.openai.com,.', []],
    ['corp', ['gpu.corp:8080']],
    ['gpu.corp:8080', ['gpu.corp:8080']],
    ['gpu.corp:443', []],
    ['10.0.0.0/8', ['10.1.2.3']],
    ['10.1.2.0/99,10.2.0.0/16,2.3,fd00::/8x', []],
    ['fd00::/8', ['[fd00::1]:8443']],
    ['[fd00::1]:8443', ['[fd00::1]:8443']],
    ['fd00::1', ['[fd00::1]:8443']],
  ])('"%s"', (noProxy, hidden) => {
    expect(findHiddenHosts(noProxy, hosts)).toEqual(hidden);
  });
});

describe('NODE_OPTIONS', () => {
  it.each([
    ['/plain.cjs'],
    ['/with blank/a.cjs'],
    ['/with "quotes" and \\backslash/a.cjs'],
    [String.raw`C:\Program Files\llmtap\a.cjs`],
  ])('carries %s through the reader', (file) => {
    const options = addRequire('--max-old-space-size=4096 -r "/x y.cjs"', file);
    expect(readNodeOptions(options)).toEqual(['--max-old-space-size=4096', '-r', '/x y.cjs', `--require=${file}`]);
  });

  it.each([['-r "/a b.cjs"'], ['--require "/a b.cjs"'], ['--require="/a b.cjs" --no-warnings']])(
    'stays as it is when it loads the file already: %s',
    (options) => {
      expect(addRequire(options, '/a b.cjs')).toBe(options);
    },
  );

  it('is read by Node as the reader reads it', () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'llmtap-options-')), '');
    const file = join(folder, 'a "b" \\c d.cjs');
    writeFileSync(file, 'console.log("loaded")');
    try {
      const env = { ...process.env, NODE_OPTIONS: addRequire('  --no-warnings ', file) };
      expect(execFileSync(process.execPath, ['-e', ''], { env, encoding: 'utf8' })).toBe('loaded\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('JAVA_TOOL_OPTIONS', () => {
  const trust = {
    trustStorePath: '/with blank/store',
    trustStorePassword: 'changeit',
    trustStoreType: 'PKCS12',
  } as const;

  it('says proxy, exceptions in Java’s own form, and trust store', () => {
    const noProxy = 'localhost,127.0.0.1,::1,.corp.test,*.x.test,10.0.0.0/8,a.test:80';
    const options = makeJavaOptions({ previous: undefined, proxyUrl: 'http://127.0.0.1:4000', noProxy, trust });
    expect(options).toContain('-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=4000');
    expect(findJavaProperty(options, 'http.nonProxyHosts')).toBe(
      'localhost|*.localhost|127.0.0.1|[::1]|corp.test|*.corp.test|x.test|*.x.test',
    );
    expect(options).toContain('"-Djavax.net.ssl.trustStore=/with blank/store"');
  });

  it('finds the last setting of a property, quotes removed', () => {
    expect(findJavaProperty(`-Da.b=1 -Da.b="x y" '-Dc=2 3'`, 'a.b')).toBe('x y');
    expect(findJavaProperty(`-Da.b=1 '-Dc=2 3'`, 'c')).toBe('2 3');
    expect(findJavaProperty(undefined, 'c')).toBeUndefined();
  });
});

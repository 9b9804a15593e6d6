import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TrackerError } from '../../src/core/errors.js';
import type { HostOptions } from '../../src/core/host.js';
import { openHost } from '../../src/host/host.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-host-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function failToOpen(options: Partial<HostOptions>): Promise<TrackerError> {
  try {
    const host = await openHost({ home: join(folder, 'home'), env: {}, ...options });
    await host.close();
  } catch (error) {
    if (error instanceof TrackerError) return error;
    throw error;
  }
  throw new Error('The host opened.');
}

const cases: readonly { readonly code: string; readonly says: string; readonly options: Partial<HostOptions> }[] = [
  { code: 'OPTION_INVALID', says: 'not:enough', options: { connectTo: ['not:enough'] } },
  { code: 'OPTION_INVALID', says: 'a:99999:b:1', options: { connectTo: ['a:99999:b:1'] } },
  { code: 'OPTION_INVALID', says: 'a:1:b:1,c:1:d:1', options: { connectTo: ['a:1:b:1,c:1:d:1'] } },
  { code: 'PROVIDER_INVALID', says: 'No Name!', options: { providers: [{ name: 'No Name!', baseUrl: 'http://x' }] } },
  { code: 'PROVIDER_INVALID', says: 'no url', options: { providers: [{ name: 'x', baseUrl: 'no url' }] } },
  { code: 'PROVIDER_INVALID', says: 'ftp:', options: { providers: [{ name: 'x', baseUrl: 'ftp://x' }] } },
  { code: 'PROXY_UNSUPPORTED', says: 'socks5', options: { env: { HTTPS_PROXY: 'socks5://127.0.0.1:1080' } } },
  { code: 'PROXY_UNSUPPORTED', says: 'HTTPS_PROXY', options: { env: { HTTPS_PROXY: 'http://[' } } },
  { code: 'UPSTREAM_CA_UNREADABLE', says: '/no/such/file', options: { upstreamCa: '/no/such/file.pem' } },
  { code: 'PRICES_INVALID', says: '/no/such/prices', options: { prices: '/no/such/prices.json' } },
  { code: 'HOME_UNUSABLE', says: 'relative/home', options: { home: 'relative/home' } },
];

describe('an option that cannot be', () => {
  it.each(cases)('is one sentence, a hint and $code: $says', async ({ code, says, options }) => {
    const error = await failToOpen(options);
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expectOneSentence(error);
  });

  it('never shows the password of a proxy', async () => {
    for (const url of ['socks5://me:hidden-password@127.0.0.1:1', 'http://me:hidden-password@[']) {
      const error = await failToOpen({ env: { HTTPS_PROXY: url } });
      expect(`${error.message}${error.hint}${String(error.cause)}`).not.toContain('hidden-password');
    }
  });

  it('is an --upstream-ca without a certificate', async () => {
    const path = join(folder, 'no-certificate.pem');
    writeFileSync(path, 'hello');
    const error = await failToOpen({ upstreamCa: path });
    expect([error.code, error.message.includes(path)]).toEqual(['UPSTREAM_CA_UNREADABLE', true]);
    expectOneSentence(error);
  });
});

describe('a home', () => {
  it('that is a file is an error', async () => {
    const home = join(folder, 'file');
    writeFileSync(home, '');
    const error = await failToOpen({ home });
    expect([error.code, error.message.includes(home)]).toEqual(['HOME_UNUSABLE', true]);
    expectOneSentence(error);
  });

  it.skipIf(process.getuid?.() === 0)('that cannot be written is an error (not as root, who can)', async () => {
    const home = join(folder, 'closed');
    chmodSync(folder, 0o500);
    const error = await failToOpen({ home });
    chmodSync(folder, 0o700);
    expect(error.code).toBe('HOME_UNUSABLE');
    expectOneSentence(error);
  });

  it('that cannot be made is an error', async () => {
    const error = await failToOpen({ home: '/proc/llmtap-home' });
    expect(error.code).toBe('HOME_UNUSABLE');
    expectOneSentence(error);
  });

  it('is left without anything of ours by an option that is refused', async () => {
    const home = join(folder, 'untouched');
    await failToOpen({ home, connectTo: ['wrong'] });
    await failToOpen({ home, upstreamCa: '/no/such/file.pem' });
    const error = await failToOpen({ home: join(home, '..', 'untouched'), providers: [{ name: '', baseUrl: '' }] });
    expect(error.code).toBe('PROVIDER_INVALID');
    expect(() => rmSync(home, { recursive: true })).toThrow(/ENOENT/);
  });
});

/** What was attempted and found, in one sentence; what to do, in another. */
function expectOneSentence(error: TrackerError): void {
  expect(error.message).toMatch(/^[A-Z"-].*\.$/s);
  expect(error.message).not.toMatch(/\n/);
  expect(error.hint).toMatch(/\S.{8,}/);
}

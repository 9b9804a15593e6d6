import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openAuthority, resetAuthority } from '../../src/ca/authority.js';
import { makeCaPaths } from '../../src/ca/paths.js';
import { listFiles, makeTemporaryHome, readMode } from './temporary-home.js';

const dayMs = 86_400_000;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const isRoot = process.getuid?.() === 0;

describe('openAuthority', () => {
  test('creates an authority once and finds it again', () => {
    const home = makeTemporaryHome();
    const first = openAuthority(home);
    const again = openAuthority(home);
    expect(again.certPem).toBe(first.certPem);
    expect(again.keyPem).toBe(first.keyPem);
    expect(readFileSync(first.certPath, 'utf8')).toBe(first.certPem);
    expect(readFileSync(makeCaPaths(home).cert, 'utf8')).toBe(first.certPem);
    expect(first.fingerprint256).toBe(new X509Certificate(first.certPem).fingerprint256);
  });

  test('makes a ten-year P-256 root that may sign servers only, and that names user and machine', () => {
    const nowMs = Date.parse('2026-11-21T00:00:00Z');
    const authority = openAuthority(makeTemporaryHome(), { nowMs });
    const cert = new X509Certificate(authority.certPem);
    expect(cert.ca).toBe(true);
    expect(cert.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(cert.verify(cert.publicKey)).toBe(true);
    expect(authority.notAfter).toBe('2036-11-21T00:00:00.000Z');
    expect(authority.notBefore).toBe('2026-11-19T00:00:00.000Z');
    expect(authority.subject).toMatch(/^O=llmtap, CN=llmtap .+@.+ [0-9a-f]{8}$/);
    expect(cert.checkPrivateKey(createPrivateKey(authority.keyPem))).toBe(true);
  });

  test.skipIf(!hasOpenssl)('states critical constraints and a key identifier (needs openssl)', () => {
    const { certPath } = openAuthority(makeTemporaryHome());
    const text = execFileSync('openssl', ['x509', '-in', certPath, '-noout', '-text'], { encoding: 'utf8' });
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Subject Key Identifier:\s+(?:[0-9A-F]{2}:){19}[0-9A-F]{2}/);
    execFileSync('openssl', ['verify', '-x509_strict', '-check_ss_sig', '-CAfile', certPath, certPath]);
  });

  test('numbers authorities at random', () => {
    const serials = Array.from({ length: 20 }, () => {
      const { serialNumber } = new X509Certificate(openAuthority(makeTemporaryHome()).certPem);
      expect(serialNumber).toMatch(/^[0-7][0-9A-F]{31}$/);
      return serialNumber;
    });
    expect(new Set(serials).size).toBe(20);
  });

  test('keeps the key from everybody but its owner, and repairs wider modes', () => {
    const home = makeTemporaryHome();
    const { keyPath } = openAuthority(home);
    const folders = [makeCaPaths(home).folder, join(keyPath, '..')];
    const modes = (): readonly string[] => [readMode(keyPath), ...folders.map(readMode)];
    expect(modes()).toEqual(['600', '700', '700']);
    chmodSync(keyPath, 0o644);
    for (const folder of folders) chmodSync(folder, 0o755);
    openAuthority(home);
    expect(modes()).toEqual(['600', '700', '700']);
  });

  test('writes the key into one file and shows it in no print', () => {
    const home = makeTemporaryHome();
    const authority = openAuthority(home);
    const body = authority.keyPem.split('\n')[1] ?? '';
    expect(body).toHaveLength(64);
    const holders = listFiles(home).filter((path) => readFileSync(path, 'utf8').includes(body));
    expect(holders).toEqual([authority.keyPath]);
    expect(inspect(authority) + JSON.stringify({ ...authority })).not.toContain(body);
  });

  test('renews the root from 30 days before its end and deletes the old key', () => {
    const home = makeTemporaryHome();
    const madeAtMs = Date.parse('2026-01-01T00:00:00Z');
    const first = openAuthority(home, { nowMs: madeAtMs });
    const endMs = Date.parse(first.notAfter);
    expect(openAuthority(home, { nowMs: endMs - 31 * dayMs }).certPem).toBe(first.certPem);
    const renewed = openAuthority(home, { nowMs: endMs - 29 * dayMs });
    expect(renewed.certPem).not.toBe(first.certPem);
    expect(Date.parse(renewed.notAfter)).toBeGreaterThan(endMs + 9 * 365 * dayMs);
    expect(existsSync(first.keyPath)).toBe(false);
    expect(readFileSync(first.certPath, 'utf8')).toBe(first.certPem);
    expect(readFileSync(makeCaPaths(home).cert, 'utf8')).toBe(renewed.certPem);
    expect(openAuthority(home, { nowMs: endMs - 29 * dayMs }).certPem).toBe(renewed.certPem);
  });

  test('makes a new authority when its folder was deleted', () => {
    const home = makeTemporaryHome();
    const first = openAuthority(home);
    rmSync(makeCaPaths(home).folder, { recursive: true });
    expect(openAuthority(home).certPem).not.toBe(first.certPem);
  });

  test('brings the public copy back', () => {
    const home = makeTemporaryHome();
    const { certPem } = openAuthority(home);
    writeFileSync(makeCaPaths(home).cert, 'something else');
    openAuthority(home);
    expect(readFileSync(makeCaPaths(home).cert, 'utf8')).toBe(certPem);
  });

  test('clears away what a process killed while creating left an hour ago', () => {
    const home = makeTemporaryHome();
    const { folder } = makeCaPaths(home);
    const left = join(folder, 'authority-1.4242-0123456789ab.tmp');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'key.pem'), '');
    utimesSync(left, 0, 0);
    openAuthority(home);
    expect(readdirSync(folder).sort()).toEqual(['authority-1', 'llmtap-ca.pem']);
  });

  test('opens an existing authority within milliseconds', () => {
    const home = makeTemporaryHome();
    openAuthority(home);
    const times = Array.from({ length: 5 }, () => {
      const startedAt = performance.now();
      openAuthority(home);
      return performance.now() - startedAt;
    });
    expect(Math.min(...times)).toBeLessThan(20);
  });
});

describe('an authority that cannot be used', () => {
  const damage = (home: string, file: 'key.pem' | 'cert.pem', content: string): void =>
    writeFileSync(join(makeCaPaths(home).folder, 'authority-1', file), content);

  test.each([
    ['an empty key', 'key.pem', ''],
    ['a cut key', 'key.pem', '-----BEGIN PRIVATE KEY-----\nMIGH'],
    ['an empty certificate', 'cert.pem', ''],
    ['a certificate of noise', 'cert.pem', '\0\x01\x02'],
  ] as const)('names %s and the way out', (_name, file, content) => {
    const home = makeTemporaryHome();
    openAuthority(home);
    damage(home, file, content);
    expect(() => openAuthority(home)).toThrowError(
      expect.objectContaining({
        code: 'CA_INVALID',
        message: expect.stringContaining(file),
        hint: expect.stringContaining('llmtap ca reset'),
      }),
    );
  });

  test('refuses a key and a certificate of different authorities', () => {
    const home = makeTemporaryHome();
    openAuthority(home);
    damage(home, 'key.pem', openAuthority(makeTemporaryHome()).keyPem);
    expect(() => openAuthority(home)).toThrowError(
      expect.objectContaining({ code: 'CA_INVALID', message: expect.stringContaining('do not belong together') }),
    );
  });

  test('names a missing key as unreadable', () => {
    const home = makeTemporaryHome();
    const { keyPath } = openAuthority(home);
    rmSync(keyPath);
    expect(() => openAuthority(home)).toThrowError(
      expect.objectContaining({
        code: 'CA_UNREADABLE',
        message: `Could not read the CA key at ${keyPath}: it does not exist.`,
        hint: expect.stringContaining('llmtap ca reset'),
      }),
    );
  });

  // The superuser reads every file.
  test.skipIf(isRoot)('names path and mode of a key that may not be read', () => {
    const home = makeTemporaryHome();
    const { keyPath } = openAuthority(home);
    chmodSync(keyPath, 0o000);
    expect(() => openAuthority(home)).toThrowError(
      expect.objectContaining({
        code: 'CA_UNREADABLE',
        message: `Could not read the CA key at ${keyPath} (mode 000): permission denied.`,
      }),
    );
  });

  test('names a file that stands where the folder should be', () => {
    const home = makeTemporaryHome();
    writeFileSync(makeCaPaths(home).folder, '');
    expect(() => openAuthority(home)).toThrowError(
      expect.objectContaining({ code: 'CA_UNWRITABLE', message: expect.stringContaining('a file stands') }),
    );
  });

  test.each(['key.pem', 'cert.pem'] as const)('is replaced by a reset when %s is broken', (file) => {
    const home = makeTemporaryHome();
    const first = openAuthority(home);
    damage(home, file, 'broken');
    const fresh = resetAuthority(home);
    expect(fresh.certPem).not.toBe(first.certPem);
    expect(openAuthority(home).certPem).toBe(fresh.certPem);
    expect(existsSync(first.keyPath)).toBe(false);
  });
});

describe('resetAuthority', () => {
  test('makes an authority where there was none', () => {
    const home = makeTemporaryHome();
    const fresh = resetAuthority(home);
    expect(openAuthority(home).certPem).toBe(fresh.certPem);
  });

  test('leaves the old root certificate, without its key, for programs that still run', () => {
    const home = makeTemporaryHome();
    const first = openAuthority(home);
    const fresh = resetAuthority(home);
    expect(fresh.fingerprint256).not.toBe(first.fingerprint256);
    expect(readFileSync(first.certPath, 'utf8')).toBe(first.certPem);
    const keys = listFiles(home).filter((path) => readFileSync(path, 'utf8').includes('PRIVATE KEY'));
    expect(keys).toEqual([fresh.keyPath]);
    expect(statSync(fresh.keyPath).size).toBeGreaterThan(0);
  });
});

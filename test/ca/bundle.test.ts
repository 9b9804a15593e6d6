import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createSecureContext, rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { type Authority, openAuthority } from '../../src/ca/authority.js';
import { makeBundle, openBundle } from '../../src/ca/bundle.js';
import { openLeafStore } from '../../src/ca/leaf-store.js';
import { makeCertificatePem, readCertificates } from '../../src/ca/pem.js';
import { countCertificates, makeTemporaryHome } from './temporary-home.js';
import { openTlsServer, shakeHands } from './tls-loopback.js';

const dayMs = 86_400_000;

/** A home with its authority, and certificates of other authorities to stand for the user's own. */
function setUp(): {
  readonly home: string;
  readonly authority: Authority;
  readonly makeOther: () => string;
  readonly save: (content: string) => string;
} {
  const home = makeTemporaryHome();
  const folder = makeTemporaryHome();
  let files = 0;
  return {
    home,
    authority: openAuthority(home),
    makeOther: () => openAuthority(makeTemporaryHome()).certPem,
    save: (content) => {
      const path = join(folder, `file-${files++}.pem`);
      writeFileSync(path, content);
      return path;
    },
  };
}

/** PEM texts of a file, in one form. */
function readBlocks(path: string): readonly string[] {
  return readCertificates(readFileSync(path, 'utf8')).map(makeCertificatePem);
}

const normalise = (pem: string): string => readCertificates(pem).map(makeCertificatePem).join('');

describe('openBundle', () => {
  test("holds ours, Node's roots and every file the user's variables name, each once", () => {
    const { home, authority, makeOther, save } = setUp();
    const [first, second, third] = [makeOther(), makeOther(), makeOther()];
    const { bundlePath } = openBundle(home, authority, {
      SSL_CERT_FILE: save(first + second),
      REQUESTS_CA_BUNDLE: save(second + third),
      PATH: '/bin',
    });
    const blocks = readBlocks(bundlePath);
    expect(new Set(blocks).size).toBe(blocks.length);
    expect(blocks[0]).toBe(authority.certPem);
    expect(blocks).toEqual(expect.arrayContaining([...rootCertificates.map(normalise), first, second, third]));
    createSecureContext({ ca: readFileSync(bundlePath) });
  });

  test('lets a client that trusts nothing but the bundle reach a host of ours', async () => {
    const { home, authority } = setUp();
    const { bundlePath } = openBundle(home, authority, {});
    const store = openLeafStore(authority);
    const port = await openTlsServer(await store.contextFor('api.example.com'));
    await shakeHands({ port, ca: readFileSync(bundlePath, 'utf8'), servername: 'api.example.com' });
    await store.close();
  });

  test.skipIf(!existsSync('/etc/ssl/certs/ca-certificates.crt'))(
    "holds the system's roots (needs Debian's file)",
    () => {
      const { home, authority } = setUp();
      const blocks = new Set(readBlocks(openBundle(home, authority, {}).bundlePath));
      for (const block of readBlocks('/etc/ssl/certs/ca-certificates.crt')) expect(blocks).toContain(block);
    },
  );

  test('adds our root to what NODE_EXTRA_CA_CERTS named, and nothing else', () => {
    const { home, authority, makeOther, save } = setUp();
    const other = makeOther();
    const { extraPath } = openBundle(home, authority, { NODE_EXTRA_CA_CERTS: save(other) });
    expect(readBlocks(extraPath)).toEqual([authority.certPem, other]);
  });

  test('points at our root alone when there is nothing to add to', () => {
    const { home, authority } = setUp();
    const { caPath, extraPath } = openBundle(home, authority, { NODE_EXTRA_CA_CERTS: '' });
    expect(extraPath).toBe(caPath);
    expect(readFileSync(caPath, 'utf8')).toBe(authority.certPem);
  });

  test('passes over what is no certificate and keeps the rest', () => {
    const { home, authority, makeOther, save } = setUp();
    const [first, second] = [makeOther(), makeOther()];
    const noise = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const cut = first.slice(0, 200);
    const file = save(`# a comment\r\n${noise}${second.replaceAll('\n', '\r\n')}${cut}\n${first}\0`);
    const { extraPath } = openBundle(home, authority, { NODE_EXTRA_CA_CERTS: file });
    expect(readBlocks(extraPath)).toEqual([authority.certPem, second, first]);
  });

  test('never copies a private key that stands beside a certificate', () => {
    const { home, authority, save } = setUp();
    const other = openAuthority(makeTemporaryHome());
    const file = save(other.keyPem + other.certPem);
    const { bundlePath, extraPath } = openBundle(home, authority, { NODE_EXTRA_CA_CERTS: file });
    for (const path of [bundlePath, extraPath]) expect(readFileSync(path, 'utf8')).not.toContain('PRIVATE');
    expect(readBlocks(bundlePath)).toContain(other.certPem);
  });

  test('is not written again while nothing has changed', () => {
    const { home, authority, makeOther, save } = setUp();
    const env = { SSL_CERT_FILE: save(makeOther()), NODE_EXTRA_CA_CERTS: save(makeOther()) };
    const first = openBundle(home, authority, env);
    const inodes = (): readonly number[] => [first.bundlePath, first.extraPath].map((path) => statSync(path).ino);
    const before = inodes();
    expect(openBundle(home, authority, env)).toEqual(first);
    expect(inodes()).toEqual(before);
  });

  test('follows a file that changes, also to the same size within the same moment', () => {
    const { home, authority, makeOther, save } = setUp();
    const candidates = Array.from({ length: 12 }, makeOther);
    const sameSize = candidates.filter((pem) => pem.length === candidates[0]?.length);
    const file = save('');
    let path: string | undefined;
    for (const pem of sameSize) {
      writeFileSync(file, pem);
      const { bundlePath } = openBundle(home, authority, { SSL_CERT_FILE: file });
      path ??= bundlePath;
      expect(bundlePath).toBe(path);
      expect(readBlocks(bundlePath).filter((block) => candidates.includes(block))).toEqual([pem]);
    }
  });

  test('follows a file that appears, and one that goes', () => {
    const { home, authority, makeOther, save } = setUp();
    const other = makeOther();
    const file = save('');
    rmSync(file);
    const env = { CURL_CA_BUNDLE: file };
    expect(readBlocks(openBundle(home, authority, env).bundlePath)).not.toContain(other);
    writeFileSync(file, other);
    expect(readBlocks(openBundle(home, authority, env).bundlePath)).toContain(other);
    rmSync(file);
    expect(readBlocks(openBundle(home, authority, env).bundlePath)).not.toContain(other);
  });

  test('reads every file of a folder a variable names', () => {
    const { home, authority, makeOther } = setUp();
    const folder = makeTemporaryHome();
    const [first, second] = [makeOther(), makeOther()];
    mkdirSync(join(folder, 'nested'));
    writeFileSync(join(folder, 'a.pem'), first);
    writeFileSync(join(folder, '0123abcd.0'), second);
    const { bundlePath } = openBundle(home, authority, { REQUESTS_CA_BUNDLE: folder });
    expect(readBlocks(bundlePath)).toEqual(expect.arrayContaining([first, second]));
  });

  test.each(['/dev/zero', '/proc/self/mem', '\0', '/no/such/file', '/etc/passwd/x'])('passes over %j', (path) => {
    const { home, authority } = setUp();
    const { bundlePath, extraPath } = openBundle(home, authority, { SSL_CERT_FILE: path, NODE_EXTRA_CA_CERTS: path });
    expect(countCertificates(bundlePath)).toBeGreaterThan(100);
    expect(readBlocks(extraPath)).toEqual([authority.certPem]);
  });

  test.skipIf(process.platform === 'win32')('passes over a pipe, which is left to the command (needs mkfifo)', () => {
    const { home, authority } = setUp();
    execFileSync('mkfifo', [join(home, 'pipe')]);
    expect(countCertificates(makeBundle({ home, authority, baseFile: join(home, 'pipe') }))).toBeGreaterThan(100);
  });

  test('is made again when it was damaged or deleted', () => {
    const { home, authority } = setUp();
    const { bundlePath } = openBundle(home, authority, {});
    const whole = readFileSync(bundlePath, 'utf8');
    writeFileSync(bundlePath, whole.slice(0, 1000));
    expect(readFileSync(openBundle(home, authority, {}).bundlePath, 'utf8')).toBe(whole);
    rmSync(bundlePath);
    expect(readFileSync(openBundle(home, authority, {}).bundlePath, 'utf8')).toBe(whole);
    writeFileSync(bundlePath.replace(/pem$/, 'json'), '{"facts":');
    expect(readFileSync(openBundle(home, authority, {}).bundlePath, 'utf8')).toBe(whole);
  });

  test('gives sessions with other variables, or another root, a file of their own', () => {
    const { home, authority, makeOther, save } = setUp();
    const plain = openBundle(home, authority, {}).bundlePath;
    const other = openBundle(home, authority, { SSL_CERT_FILE: save(makeOther()) }).bundlePath;
    const renewed = openBundle(home, openAuthority(makeTemporaryHome()), {}).bundlePath;
    expect(new Set([plain, other, renewed]).size).toBe(3);
    for (const path of [plain, other, renewed]) expect(basename(path)).toMatch(/^bundle-[0-9a-f]{12}\.pem$/);
  });

  test('deletes bundles unused for a month, and keeps one in use however old', () => {
    const { home, authority, makeOther, save } = setUp();
    const unused = openBundle(home, authority, { SSL_CERT_FILE: save(makeOther()) }).bundlePath;
    const used = openBundle(home, authority, {}).bundlePath;
    const old = Date.now() / 1000 - (40 * dayMs) / 1000;
    for (const name of readdirSync(join(home, 'ca'))) utimesSync(join(home, 'ca', name), old, old);
    expect(openBundle(home, authority, {}).bundlePath).toBe(used);
    openBundle(home, authority, { SSL_CERT_FILE: save(makeOther()) });
    expect(existsSync(used)).toBe(true);
    expect(existsSync(unused)).toBe(false);
    expect(existsSync(authority.keyPath)).toBe(true);
    expect(existsSync(authority.certPath)).toBe(true);
  });

  test('takes in the bundle of a session around this one', () => {
    const { home, authority, makeOther, save } = setUp();
    const other = makeOther();
    const outer = openBundle(home, authority, { SSL_CERT_FILE: save(other) }).bundlePath;
    const inner = openBundle(home, authority, { SSL_CERT_FILE: outer, CURL_CA_BUNDLE: outer }).bundlePath;
    expect(inner).not.toBe(outer);
    expect([...readBlocks(inner)].sort()).toEqual([...readBlocks(outer)].sort());
  });

  test('says where it could not write', () => {
    const { home, authority } = setUp();
    const { bundlePath } = openBundle(home, authority, {});
    rmSync(bundlePath);
    mkdirSync(bundlePath);
    expect(() => openBundle(home, authority, {})).toThrowError(
      expect.objectContaining({ code: 'CA_UNWRITABLE', message: expect.stringContaining(bundlePath) }),
    );
  });
});

describe('makeBundle', () => {
  test('holds what the base file holds, and ours, and no other root', () => {
    const { home, authority, makeOther, save } = setUp();
    const other = makeOther();
    const path = makeBundle({ home, authority, baseFile: save(other) });
    expect(readBlocks(path)).toEqual([authority.certPem, other]);
  });

  test.each([undefined, '/no/such/file'])("holds the system's roots for the base file %j", (baseFile) => {
    const { home, authority } = setUp();
    const path = makeBundle({ home, authority, ...(baseFile === undefined ? {} : { baseFile }) });
    expect(path).toBe(openBundle(home, authority, {}).bundlePath);
    expect(countCertificates(path)).toBeGreaterThan(100);
  });

  test('gives each base file a bundle of its own, and the same one again', () => {
    const { home, authority, makeOther, save } = setUp();
    const [first, second] = [save(makeOther()), save(makeOther())];
    const paths = [first, second, first].map((baseFile) => makeBundle({ home, authority, baseFile }));
    expect(paths[0]).toBe(paths[2]);
    expect(paths[0]).not.toBe(paths[1]);
  });
});

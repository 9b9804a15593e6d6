import { execFile, spawnSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Authority, openAuthority } from '../../src/ca/authority.js';
import { makeSerial } from '../../src/ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../src/ca/leaf.js';
import { makeTemporaryHome } from './temporary-home.js';
import { openTlsServer, shakeHands } from './tls-loopback.js';

const run = promisify(execFile);
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'));
const dayMs = 86_400_000;
const longName = `${'a'.repeat(40)}.${'b'.repeat(40)}.example.com`;
const python = `
import socket, ssl, sys
host, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
with socket.create_connection(("127.0.0.1", port)) as raw:
    with context.wrap_socket(raw, server_hostname=host) as tls:
        print(tls.version())
`;

interface Made {
  readonly authority: Authority;
  readonly home: string;
  readonly certPem: string;
  readonly keyPem: string;
}

function make(host: string, nowMs = Date.now()): Made {
  const home = makeTemporaryHome();
  const authority = openAuthority(home);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = makeLeaf({ issuer: makeIssuer(authority), host, leafPublicKey: publicKey, nowMs, serial: makeSerial() });
  return {
    authority,
    home,
    certPem: leaf.certPem,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const serve = ({ certPem, keyPem, authority }: Made, address?: string): Promise<number> =>
  openTlsServer(createSecureContext({ key: keyPem, cert: certPem + authority.certPem }), address);

describe('a leaf', () => {
  test.each(['api.example.com', 'my_host.internal', longName])('is trusted for the name %s', async (host) => {
    const made = make(host);
    const port = await serve(made);
    const peer = await shakeHands({ port, ca: made.authority.certPem, servername: host });
    expect(peer.subjectaltname).toBe(`DNS:${host}`);
  });

  test('is trusted for an IPv4 address', async () => {
    const made = make('127.0.0.1');
    const peer = await shakeHands({ port: await serve(made), ca: made.authority.certPem });
    expect(peer.subjectaltname).toBe('IP Address:127.0.0.1');
  });

  test.skipIf(!hasIpv6)('is trusted for an IPv6 address (needs ::1)', async () => {
    const made = make('[::1]');
    const port = await serve(made, '::1');
    const peer = await shakeHands({ port, ca: made.authority.certPem, address: '::1' });
    expect(peer.subjectaltname).toBe('IP Address:0:0:0:0:0:0:0:1');
  });

  test.each([
    ['::', '0:0:0:0:0:0:0:0'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['2001:db8::ff00:42:8329', '2001:DB8:0:0:0:FF00:42:8329'],
    ['::ffff:192.0.2.1', '0:0:0:0:0:FFFF:C000:201'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('states all sixteen bytes of %s', (host, stated) => {
    expect(new X509Certificate(make(host).certPem).subjectAltName).toBe(`IP Address:${stated}`);
  });

  test('is refused for another name', async () => {
    const made = make('api.example.com');
    const port = await serve(made);
    const asked = shakeHands({ port, ca: made.authority.certPem, servername: 'api.example.org' });
    await expect(asked).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('is refused by a client that trusts another root', async () => {
    const port = await serve(make('api.example.com'));
    const { certPem } = openAuthority(makeTemporaryHome());
    await expect(shakeHands({ port, ca: certPem, servername: 'api.example.com' })).rejects.toMatchObject({
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    });
  });

  test.skipIf(!hasOpenssl).each(['api.example.com', longName, '192.0.2.7', '2001:db8::1'])(
    'for %s passes the strict checks of openssl (needs openssl)',
    async (host) => {
      const made = make(host);
      const path = join(made.home, 'leaf.pem');
      writeFileSync(path, made.certPem);
      const check = host.includes('.com') ? '-verify_hostname' : '-verify_ip';
      const flags = ['-x509_strict', '-purpose', 'sslserver', check, host, '-CAfile', made.authority.certPath];
      const { stdout } = await run('openssl', ['verify', ...flags, path]);
      expect(stdout).toContain(': OK');
    },
  );

  test.skipIf(!hasOpenssl)('states what strict verifiers ask for (needs openssl)', async () => {
    const made = make('api.example.com');
    const path = join(made.home, 'leaf.pem');
    writeFileSync(path, made.certPem);
    const print = (file: string): Promise<{ stdout: string }> =>
      run('openssl', ['x509', '-in', file, '-noout', '-text']);
    const { stdout: leaf } = await print(path);
    const { stdout: root } = await print(made.authority.certPath);
    expect(leaf).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(leaf).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(leaf).toMatch(/Extended Key Usage: \n?\s*TLS Web Server Authentication/);
    expect(leaf).toMatch(/Subject: CN ?= ?api\.example\.com/);
    expect(leaf).toMatch(/Subject Alternative Name: \n/);
    const identifier = /Subject Key Identifier: \n\s+([0-9A-F:]+)/.exec(root)?.[1];
    expect(identifier).toHaveLength(59);
    expect(/Authority Key Identifier: \n\s+(?:keyid:)?([0-9A-F:]+)/.exec(leaf)?.[1]).toBe(identifier);
    expect(leaf).toMatch(/Subject Key Identifier/);
  });

  test.skipIf(!hasOpenssl)(
    'has no subject and a critical name when the name is too long for one (needs openssl)',
    async () => {
      const made = make(longName);
      const path = join(made.home, 'leaf.pem');
      writeFileSync(path, made.certPem);
      const { stdout } = await run('openssl', ['x509', '-in', path, '-noout', '-text']);
      expect(stdout).toMatch(/Subject: ?\n/);
      expect(stdout).toMatch(/Subject Alternative Name: critical/);
    },
  );

  test('is trusted by strict Python', async () => {
    for (const host of ['api.example.com', longName, '127.0.0.1']) {
      const made = make(host);
      const port = await serve(made);
      const { stdout } = await run('python3', ['-c', python, host, String(port), made.authority.certPath]);
      expect(stdout.trim()).toBe('TLSv1.3');
    }
  });

  test('is trusted by curl', async () => {
    for (const host of ['api.example.com', longName]) {
      const made = make(host);
      const port = await serve(made);
      const to = ['--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`];
      const flags = ['-q', '-sS', '--http1.1', '--noproxy', '*', '--cacert', made.authority.certPath];
      const { stdout } = await run('curl', [...flags, ...to]);
      expect(stdout).toBe('ok');
    }
  });

  test('lives thirty days, backdated by two', () => {
    const nowMs = Date.parse('2027-03-01T12:00:00Z');
    const cert = new X509Certificate(make('api.example.com', nowMs).certPem);
    expect(new Date(cert.validFrom).getTime()).toBe(nowMs - 2 * dayMs);
    expect(new Date(cert.validTo).getTime()).toBe(nowMs + 30 * dayMs);
  });

  test('never outlives its root', () => {
    const authority = openAuthority(makeTemporaryHome());
    const { publicKey: leafPublicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const nowMs = Date.parse(authority.notAfter) - dayMs;
    const issuer = makeIssuer(authority);
    const leaf = makeLeaf({ issuer, host: 'a.example', leafPublicKey, nowMs, serial: makeSerial() });
    expect(leaf.notAfterMs).toBe(Date.parse(authority.notAfter));
    expect(new Date(new X509Certificate(leaf.certPem).validTo).toISOString()).toBe(authority.notAfter);
  });

  test('states dates from 2050 on in their longer form', () => {
    const authority = openAuthority(makeTemporaryHome(), { nowMs: Date.parse('2045-06-01T00:00:00Z') });
    expect(authority.notAfter).toBe('2055-06-01T00:00:00.000Z');
  });

  test('holds the very key it was made for, whatever its bytes', () => {
    const authority = openAuthority(makeTemporaryHome());
    const issuer = makeIssuer(authority);
    const root = new X509Certificate(authority.certPem);
    const serials = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const made = makeLeaf({
        issuer,
        host: 'a.example',
        leafPublicKey: publicKey,
        nowMs: Date.now(),
        serial: makeSerial(),
      });
      const cert = new X509Certificate(made.certPem);
      expect(cert.publicKey.equals(publicKey)).toBe(true);
      expect(cert.verify(root.publicKey)).toBe(true);
      expect(cert.checkIssued(root)).toBe(true);
      expect(cert.serialNumber).toMatch(/^[0-7][0-9A-F]{31}$/);
      serials.add(cert.serialNumber);
    }
    expect(serials.size).toBe(300);
  });

  test.each(['../../etc', 'a/b', '*.x', 'a'.repeat(300), 'a\0b', '[::1', ''])('is not made for %j', (host) => {
    expect(() => make(host)).toThrowError(expect.objectContaining({ code: 'HOST_NAME_INVALID' }));
  });
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as systemCa from 'system-ca';
import { makeDigest } from './pem.js';

/** Where the distributions keep all roots in one file (Debian, Fedora, SUSE, Alpine and the BSDs). */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/etc/ssl/cert.pem',
];
/** Stands for the platform's own store, which is no file. No real path: they are absolute. */
const systemStore = 'system-store';
const dayMs = 86_400_000;
const maxFileBytes = 16 * 1024 * 1024;
const maxTotalBytes = 4 * maxFileBytes;
const maxFolderEntries = 2000;
const requireModule = createRequire(import.meta.url);

/** A file certificates are read from, as it was when it was looked at. */
export interface TrustSource {
  readonly path: string;
  /** Size, times and inode; `absent` when there is no regular file of a sane size. */
  readonly facts: string;
  /** The later of its two times, milliseconds since the epoch; 0 when absent. */
  readonly changedAtMs: number;
}

/**
 * The source of the system's roots: a file where the platform has one, else the platform's store, looked at once a
 * day because it has no time of change.
 */
export function findSystemSource(nowMs: number): TrustSource {
  if (process.platform !== 'win32' && process.platform !== 'darwin') {
    for (const path of systemFiles) {
      const source = makeFileSource(path);
      if (source.facts !== 'absent') return source;
    }
  }
  return { path: systemStore, facts: `day ${Math.floor(nowMs / dayMs)}`, changedAtMs: 0 };
}

/** The files a path stands for: itself, or those of the folder it names (up to 2,000, sorted). Never throws. */
export function listSources(path: string): readonly TrustSource[] {
  try {
    if (!statSync(path).isDirectory()) return [makeFileSource(path)];
    const names = readdirSync(path).sort().slice(0, maxFolderEntries);
    return names.map((name) => makeFileSource(join(path, name)));
  } catch {
    // Kept as an absent source, so that the bundle changes when the file appears.
    return [makeAbsentSource(path)];
  }
}

/** The sources' texts; empty for what cannot be read, and for all beyond 64 MB in sum. */
export function readSources(sources: readonly TrustSource[]): readonly string[] {
  let total = 0;
  return sources.map((source) => {
    const text = total > maxTotalBytes ? '' : readSource(source);
    total += text.length;
    return text;
  });
}

function readSource(source: TrustSource): string {
  if (source.facts === 'absent') return '';
  if (source.path === systemStore) return readSystemStore();
  try {
    return readFileSync(source.path, 'latin1');
  } catch {
    // Nobody who was pointed at this file could read it either.
    return '';
  }
}

/** A digest over the contents of all sources. */
export function makeContentDigest(texts: readonly string[]): string {
  return makeDigest(texts.map(makeDigest).join('\n'));
}

/** NOTE: a pipe (`SSL_CERT_FILE=<(…)`) is not looked into: reading it would take it from the command. */
function makeFileSource(path: string): TrustSource {
  try {
    const found = statSync(path, { bigint: true });
    if (!found.isFile() || found.size > maxFileBytes) return makeAbsentSource(path);
    const facts = `${found.size}:${found.mtimeNs}:${found.ctimeNs}:${found.ino}`;
    return { path, facts, changedAtMs: Math.max(Number(found.mtimeMs), Number(found.ctimeMs)) };
  } catch {
    // Absent and out of reach are one to whoever wants to read it.
    return makeAbsentSource(path);
  }
}

function makeAbsentSource(path: string): TrustSource {
  return { path, facts: 'absent', changedAtMs: 0 };
}

/**
 * NOTE: system-ca reads the stores of macOS and Windows through optional native packages. Where they are not
 * installed, Node's own roots must do.
 */
function readSystemStore(): string {
  try {
    const { systemCertsSync } = requireModule('system-ca') as typeof systemCa;
    return systemCertsSync({ env: {} }).join('\n');
  } catch {
    return '';
  }
}

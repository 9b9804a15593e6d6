import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { findIdentity, temporaryPattern, writeFileAtomically } from './atomic-file.js';
import { makeWriteError } from './authority-folder.js';
import { makeCertificatePem, makeDigest, readCertificates } from './pem.js';
import { makeContentDigest, readSources, type TrustSource } from './trust-sources.js';

const filePattern = /^(?:bundle|extra)-[0-9a-f]{12}\.(?:pem|json)$/;
const dayMs = 86_400_000;
const keepMs = 31 * dayMs;
// A file changed this shortly before it was looked at may have changed again within the same tick of its clock.
const unsettledMs = 2000;

/** What a bundle is made of. */
export interface BundleRecipe {
  /** Absolute: the home's `ca`. */
  readonly folder: string;
  readonly kind: 'bundle' | 'extra';
  /** Our root; it comes first. */
  readonly certPem: string;
  readonly withNodeRoots: boolean;
  readonly sources: readonly TrustSource[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Kept beside a bundle: what it was made from. */
interface Stamp {
  readonly facts: string;
  readonly contents: string;
  readonly stampedAtMs: number;
  readonly identity: string;
}

/**
 * Makes the bundle of a recipe, or finds it made: when no source has changed since, it is not read again. The name
 * says which sources it has, so that sessions with other sources have a file of their own. Returns its path. Throws
 * `CA_UNWRITABLE`.
 */
export function makeBundleFile(recipe: BundleRecipe): string {
  const path = join(recipe.folder, `${recipe.kind}-${makeRecipeId(recipe)}.pem`);
  const stampPath = path.replace(/pem$/, 'json');
  const facts = recipe.sources.map((source) => `${source.path}\n${source.facts}`).join('\n');
  try {
    const stamp = findStamp(stampPath);
    const isSame = stamp !== undefined && stamp.facts === facts && stamp.identity === findIdentity(path);
    if (isSame && isSettled(recipe, stamp) && touch([path, stampPath], recipe.nowMs)) return path;
    const texts = readSources(recipe.sources);
    const contents = makeContentDigest(texts);
    const isKept = isSame && stamp.contents === contents && touch([path], recipe.nowMs);
    const identity = isKept ? stamp.identity : writeFileAtomically(path, makeBundleText(recipe, texts), 0o644);
    const made: Stamp = { facts, contents, stampedAtMs: recipe.nowMs, identity };
    writeFileAtomically(stampPath, JSON.stringify(made), 0o644);
  } catch (error) {
    throw makeWriteError('write the CA bundle', path, error);
  }
  pruneBundles(recipe.folder, recipe.nowMs);
  return path;
}

function makeRecipeId(recipe: BundleRecipe): string {
  const parts = [
    recipe.withNodeRoots ? process.versions.node : '',
    recipe.certPem,
    ...recipe.sources.map((source) => source.path),
  ];
  return makeDigest(parts.join('\n')).slice(0, 12);
}

/** Whether equal times mean equal contents. */
function isSettled(recipe: BundleRecipe, stamp: Stamp): boolean {
  return recipe.sources.every((source) => source.changedAtMs < stamp.stampedAtMs - unsettledMs);
}

/** A bundle in use must not look old to whoever prunes. Returns false when it has just been pruned. */
function touch(paths: readonly string[], nowMs: number): boolean {
  try {
    for (const path of paths) {
      if (statSync(path).mtimeMs < nowMs - dayMs) utimesSync(path, nowMs / 1000, nowMs / 1000);
    }
    return true;
  } catch {
    // Gone, or not ours to touch: it is made anew.
    return false;
  }
}

function findStamp(path: string): Stamp | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isStamp(found) ? found : undefined;
  } catch {
    // Absent, unreadable, or cut: then the bundle is made anew.
    return undefined;
  }
}

function isStamp(found: unknown): found is Stamp {
  if (typeof found !== 'object' || found === null) return false;
  const { facts, contents, stampedAtMs, identity } = found as Partial<Record<keyof Stamp, unknown>>;
  return [facts, contents, identity].every((value) => typeof value === 'string') && typeof stampedAtMs === 'number';
}

/**
 * Every certificate once, ours first; what is no certificate is left out.
 *
 * NOTE: what Node ships is not parsed to see whether it is one: 0.2 ms each (measured), and most roots of a system are
 * among them.
 */
function makeBundleText(recipe: BundleRecipe, texts: readonly string[]): string {
  const nodeRoots = new Map(rootCertificates.flatMap(readCertificates).map((der) => [makeDigest(der), der]));
  const blocks = new Map(readCertificates(recipe.certPem).map((der) => [makeDigest(der), makeCertificatePem(der)]));
  if (recipe.withNodeRoots) for (const [digest, der] of nodeRoots) blocks.set(digest, makeCertificatePem(der));
  for (const der of texts.flatMap(readCertificates)) {
    const digest = makeDigest(der);
    if (blocks.has(digest)) continue;
    if (nodeRoots.has(digest) || isCertificate(der)) blocks.set(digest, makeCertificatePem(der));
  }
  return [...blocks.values()].join('');
}

function isCertificate(der: Buffer): boolean {
  try {
    // Bytes after the certificate's own end would be copied along and make strict readers refuse the whole bundle.
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}

/** Deletes bundles nobody has used for a month, and what killed processes left. Never throws. */
function pruneBundles(folder: string, nowMs: number): void {
  try {
    for (const name of readdirSync(folder)) {
      const isTemporary = temporaryPattern.test(name);
      if (!isTemporary && !filePattern.test(name)) continue;
      const path = join(folder, name);
      if (statSync(path).mtimeMs < nowMs - (isTemporary ? dayMs : keepMs))
        rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Another process pruned at the same time; the next bundle made tries again.
  }
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder, removed when the test that asked for it ends. */
export function makeTemporaryHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'llmtap-ca-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Every file below a folder, absolute. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

export function readMode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

export function countCertificates(path: string): number {
  return readFileSync(path, 'utf8').split('-----BEGIN CERTIFICATE-----').length - 1;
}

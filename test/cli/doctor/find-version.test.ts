import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findCanaryVersion, findPackageVersion, findVersionText } from '../../../src/cli/doctor/find-version.js';

it.each([
  ['curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1', '7.88.1'],
  ['GNU Wget 1.21.3 built on linux-gnu.', '1.21.3'],
  ['git version 2.39.5', '2.39.5'],
  ['aider 0.86.1', '0.86.1'],
  ['0.61.0-preview.2', '0.61.0-preview.2'],
  ['a key sk-abcdef', null],
  ['', null],
])('finds the version in "%s"', (text, version) => {
  expect(findVersionText(text)).toBe(version);
});

it('takes a canary’s version from its own line alone', () => {
  expect(findCanaryVersion('Picked up 1.2.3\nversion 17.0.15\n')).toBe('17.0.15');
  expect(findCanaryVersion('version 21\n')).toBe('21');
  expect(findCanaryVersion('1.2.3\nversion sk-secret\n')).toBeNull();
});

it('finds the version of a command’s npm package through its link, and none elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-version-'));
  try {
    const bin = join(folder, 'lib', 'agent', 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'agent.js'), '');
    writeFileSync(join(folder, 'lib', 'agent', 'package.json'), '{"name":"agent","version":"2.1.329"}');
    symlinkSync(join(bin, 'agent.js'), join(folder, 'agent'));
    expect(findPackageVersion(join(folder, 'agent'))).toBe('2.1.329');
    writeFileSync(join(folder, 'lib', 'agent', 'package.json'), 'no JSON');
    expect(findPackageVersion(join(folder, 'agent'))).toBeNull();
    expect(findPackageVersion(join(folder, 'nothing'))).toBeNull();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthority } from '../../../src/ca/authority.js';
import { inspectAuthority } from '../../../src/ca/inspect-authority.js';
import { checkAuthority, checkClock, checkNode } from '../../../src/cli/doctor/checks.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-checks-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const dayMs = 86_400_000;

describe('the check of Node', () => {
  it.each([
    ['20.18.1', 'ok'],
    ['20.20.2', 'ok'],
    ['24.0.0', 'ok'],
    ['20.18.0', 'problem'],
    ['18.20.4', 'problem'],
  ])('finds %s %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });
});

describe('the check of the clock', () => {
  it('finds one that stands before the program was built', () => {
    expect(checkClock(0)).toMatchObject({ level: 'problem', hint: expect.stringContaining('clock') });
  });

  it('finds one that files do not go by', () => {
    expect(checkClock(Date.now() + dayMs)).toMatchObject({ level: 'warning' });
  });

  it('finds nothing wrong with this machine’s', () => {
    expect(checkClock().level).toBe('ok');
  });
});

describe('the check of the CA', () => {
  it('makes none where none is', () => {
    expect(checkAuthority(home, Date.now()).level).toBe('ok');
    expect(existsSync(join(home, 'ca'))).toBe(false);
  });

  it('says until when it is valid, and warns before and after', () => {
    const { notAfter, notBefore } = openAuthority(home);
    expect(checkAuthority(home, Date.now())).toMatchObject({ level: 'ok', message: expect.stringContaining('until') });
    expect(checkAuthority(home, Date.parse(notAfter) - 20 * dayMs).level).toBe('warning');
    expect(checkAuthority(home, Date.parse(notBefore) - dayMs).level).toBe('warning');
  });

  it.skipIf(process.platform === 'win32')('leaves a key that others can read as it is, for it may be known', () => {
    const { keyPath } = openAuthority(home);
    chmodSync(keyPath, 0o644);
    expect(checkAuthority(home, Date.now())).toMatchObject({
      level: 'problem',
      hint: expect.stringContaining('ca reset'),
    });
    expect(inspectAuthority(home)?.keyMode).toBe(0o644);
  });

  it('throws what opening it would throw where it is none', () => {
    const { certPath } = openAuthority(home);
    writeFileSync(certPath, 'no certificate');
    expect(() => inspectAuthority(home)).toThrow(expect.objectContaining({ code: 'CA_INVALID' }));
    rmSync(certPath);
    expect(() => inspectAuthority(home)).toThrow(expect.objectContaining({ code: 'CA_UNREADABLE' }));
  });
});

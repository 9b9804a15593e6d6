import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findHome, makeCaPaths, requireHome } from '../../src/ca/paths.js';
import { makeTemporaryHome, readMode } from './temporary-home.js';

describe('findHome', () => {
  test('takes LLMTAP_HOME and makes it absolute', () => {
    expect(findHome({ LLMTAP_HOME: 'some/where' })).toBe(resolve('some/where'));
  });

  test.each([{}, { LLMTAP_HOME: '' }])('takes the platform folder for user data from %j', (env) => {
    const home = findHome(env);
    expect(isAbsolute(home)).toBe(true);
    expect(home).toMatch(/llmtap/);
    if (process.platform === 'linux' && process.env.XDG_DATA_HOME === undefined) {
      expect(home).toBe(join(homedir(), '.local/share/llmtap'));
    }
  });

  test('creates nothing', () => {
    const home = join(makeTemporaryHome(), 'new');
    findHome({ LLMTAP_HOME: home });
    expect(existsSync(home)).toBe(false);
  });

  test('refuses a home that is a file, in one sentence with a hint', () => {
    const path = join(makeTemporaryHome(), 'file');
    writeFileSync(path, '');
    expect(() => findHome({ LLMTAP_HOME: path })).toThrowError(
      expect.objectContaining({
        code: 'HOME_UNUSABLE',
        message: `Could not use ${path} as the home folder: it exists and is not a folder.`,
        hint: expect.stringContaining('LLMTAP_HOME'),
      }),
    );
  });

  test('refuses a home with a NUL', () => {
    expect(() => findHome({ LLMTAP_HOME: '/a\0b' })).toThrowError(expect.objectContaining({ code: 'HOME_UNUSABLE' }));
  });

  test('refuses what the system will not look at', () => {
    expect(() => findHome({ LLMTAP_HOME: `/${'x'.repeat(5000)}` })).toThrowError(
      expect.objectContaining({ code: 'HOME_UNUSABLE', hint: expect.stringContaining('LLMTAP_HOME') as string }),
    );
  });
});

describe('requireHome', () => {
  test('makes the home, and folders above it, for their owner alone', () => {
    const home = join(makeTemporaryHome(), 'a', 'b');
    expect(requireHome(home)).toBe(home);
    expect(readMode(home)).toBe('700');
  });

  test('leaves the mode of an existing home as it is', () => {
    const home = join(makeTemporaryHome(), 'a');
    mkdirSync(home, { mode: 0o755 });
    requireHome(home);
    expect(readMode(home)).toBe('755');
  });

  test('refuses a home below a file', () => {
    const file = join(makeTemporaryHome(), 'file');
    writeFileSync(file, '');
    expect(() => requireHome(join(file, 'home'))).toThrowError(
      expect.objectContaining({ code: 'HOME_UNUSABLE', message: expect.stringContaining('is a file') }),
    );
  });

  test.skipIf(process.platform !== 'linux')('refuses a home where no folder can be made (needs /proc)', () => {
    for (const home of ['/proc/llmtap', '/proc/llmtap/home']) {
      expect(() => requireHome(home)).toThrowError(expect.objectContaining({ code: 'HOME_UNUSABLE' }));
    }
  });

  test('refuses a relative home', () => {
    expect(() => requireHome('a')).toThrowError(expect.objectContaining({ code: 'HOME_UNUSABLE' }));
  });
});

test('keeps every path of the authority below the home', () => {
  const paths = makeCaPaths('/h');
  expect(paths).toEqual({ home: '/h', folder: join('/h', 'ca'), cert: join('/h', 'ca', 'llmtap-ca.pem') });
});

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSessionFiles, type SessionFilesOptions } from '../../src/activation/session-files.js';
import { findOwnIdentity, formatOwner } from '../../src/activation/session-owner.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-files-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function open(more: Partial<SessionFilesOptions> = {}) {
  return openSessionFiles({
    home,
    sessionId: 'sess_0123456789ab',
    parentEnv: { HOME: join(home, 'user') },
    proxyUrl: 'http://127.0.0.1:4000',
    bundlePath: '/b/bundle.pem',
    ...more,
  });
}

describe('the files of a session', () => {
  it('stand in a folder for the user alone and go with the session', () => {
    const files = open();
    expect(files.folder).toBe(join(home, 'sessions', 'sess_0123456789ab'));
    for (const folder of ['', 'php']) expect(statSync(join(files.folder, folder)).mode & 0o777).toBe(0o700);
    for (const file of ['wgetrc', 'pid', 'php/llmtap.ini']) {
      expect(statSync(join(files.folder, file)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(files.folder, 'wgetrc'), 'utf8')).toBe('ca_certificate = /b/bundle.pem\n');
    const ini = "curl.cainfo='/b/bundle.pem'\nopenssl.cafile='/b/bundle.pem'\n";
    expect(readFileSync(join(files.folder, 'php/llmtap.ini'), 'utf8')).toBe(ini);
    files.close();
    files.close();
    expect(existsSync(files.folder)).toBe(false);
  });

  it('keep the wgetrc in the home folder of the user', () => {
    mkdirSync(join(home, 'user'));
    writeFileSync(join(home, 'user', '.wgetrc'), 'tries = 7');
    const { folder } = open();
    expect(readFileSync(join(folder, 'wgetrc'), 'utf8')).toBe('tries = 7\nca_certificate = /b/bundle.pem\n');
  });

  it('keep the wgetrc WGETRC names, its roots, and put the session’s proxy over one it sets', () => {
    const own = join(home, 'own-wgetrc');
    writeFileSync(own, 'https_proxy = http://corp:3128\nca-certificate = /corp.pem\n');
    const { folder } = open({ parentEnv: { WGETRC: own }, bundleFor: (file) => `/merged${file}` });
    expect(readFileSync(join(folder, 'wgetrc'), 'utf8').split('\n').slice(2)).toEqual([
      'ca_certificate = /merged/corp.pem',
      'https_proxy = http://127.0.0.1:4000',
      'http_proxy = http://127.0.0.1:4000',
      'use_proxy = on',
      '',
    ]);
  });

  it.each([['../../etc'], ['sess_0123456789AB'], ['sess_0123456789ab/..'], ['']])(
    'refuse "%s" for an id',
    (sessionId) => {
      expect(() => open({ sessionId })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    },
  );

  it('say which folder cannot be made', () => {
    writeFileSync(join(home, 'file'), '');
    expect(() => open({ home: join(home, 'file') })).toThrow(
      expect.objectContaining({ code: 'HOME_UNUSABLE', hint: expect.stringContaining('LLMTAP_HOME') }),
    );
  });

  it.skipIf(process.platform === 'win32')('keep nothing of a wgetrc that is a pipe or a device (needs mkfifo)', () => {
    const pipe = join(home, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    for (const WGETRC of [pipe, '/dev/zero', home]) {
      const files = open({ parentEnv: { WGETRC } });
      expect(readFileSync(join(files.folder, 'wgetrc'), 'utf8')).toBe('ca_certificate = /b/bundle.pem\n');
      files.close();
    }
  });

  it('keep nothing of a wgetrc larger than any can be', () => {
    const own = join(home, 'own-wgetrc');
    writeFileSync(own, '# a comment\n'.repeat(200_000));
    const { folder } = open({ parentEnv: { WGETRC: own } });
    expect(statSync(join(folder, 'wgetrc')).size).toBeLessThan(100);
  });

  it('sweep the folders of taps that are gone, and no other', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const make = (name: string, owner?: string) => {
      const folder = join(home, 'sessions', name);
      mkdirSync(folder, { recursive: true });
      if (owner !== undefined) writeFileSync(join(folder, 'pid'), owner);
      return folder;
    };
    const gone = { ...findOwnIdentity(), processId: pid };
    const dead = make('sess_00000000dead', formatOwner(gone));
    const kept = [
      make('sess_0000000000a1', formatOwner({ ...gone, pidNamespace: 'pid:[1]' })),
      make('sess_0000000000a2', formatOwner({ ...gone, boot: 'another' })),
      make('sess_0000000000a3', `${pid}\n`),
      make('sess_0000000000a4', formatOwner(findOwnIdentity())),
      make('sess_0000000a11fe', `${process.pid}\n`),
      make('sess_000000000000'),
      make('sess_000000000001', 'no number'),
      make('sess_000000000002', '-1'),
      make('other', `${pid}\n`),
    ];
    const target = join(home, 'elsewhere');
    mkdirSync(target);
    writeFileSync(join(target, 'pid'), `${pid}\n`);
    symlinkSync(target, join(home, 'sessions', 'sess_00000000beef'));
    open();
    expect(existsSync(dead)).toBe(false);
    for (const folder of [...kept, target]) expect(existsSync(folder)).toBe(true);
  });
});

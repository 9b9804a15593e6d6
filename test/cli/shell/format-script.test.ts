import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findShell, formatEvaluation, formatPidLine, formatShellScript } from '../../../src/cli/shell/format-script.js';

const nasty = `it's "$HOME" \`id\` $(id) \\ !x\nsecond line; é`;

describe('lines for bash and its family', () => {
  it.each(['bash', 'sh'])('set any value as it is in %s', (shell) => {
    const script = formatShellScript('bash', { LLMTAP_A: nasty, LLMTAP_B: '' });
    const text = execFileSync(shell, ['-c', `${script}printf '%s|%s' "$LLMTAP_A" "$LLMTAP_B"`], { encoding: 'utf8' });
    expect(text).toBe(`${nasty}|`);
  });

  it('take a variable away', () => {
    const script = formatShellScript('bash', { LLMTAP_A: null });
    const env = { ...process.env, LLMTAP_A: 'x' };
    const text = execFileSync('sh', ['-c', `${script}echo "\${LLMTAP_A-gone}"`], { env, encoding: 'utf8' });
    expect(text).toBe('gone\n');
  });

  it('write the id of the shell that evaluates them, not of a subshell', () => {
    const folder = mkdtempSync(join(tmpdir(), "llmtap-pid-it's "));
    try {
      const line = formatPidLine('bash', join(folder, 'shell'));
      const pid = execFileSync('sh', ['-c', `eval "$(cat)"; echo $$`], { input: line, encoding: 'utf8' });
      expect(readFileSync(join(folder, 'shell'), 'utf8')).toBe(pid);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('lines for other shells', () => {
  it('quote as fish does', () => {
    expect(formatShellScript('fish', { A: "it's \\ $x", B: null })).toBe("set -gx A 'it\\'s \\\\ $x'\nset -e B\n");
  });

  it('quote as PowerShell does, typographic quotes included', () => {
    expect(formatShellScript('powershell', { A: "it's ’$x" })).toBe("$env:A = 'it''s ’’$x'\n");
  });
});

it('refuses a name that is more than a name', () => {
  expect(() => formatShellScript('bash', { 'A; id': 'x' })).toThrow(/"A; id"/);
});

it('finds the shell in use', () => {
  expect(findShell({ SHELL: '/usr/bin/fish' }, 'linux')).toBe('fish');
  expect(findShell({ SHELL: '/bin/zsh' }, 'darwin')).toBe('bash');
  expect(findShell({}, 'linux')).toBe('bash');
  expect(findShell({ SHELL: '/bin/bash' }, 'win32')).toBe('powershell');
});

it('says what to type in each shell', () => {
  expect(formatEvaluation('bash', ' --unset')).toBe('eval "$(llmtap env --unset)"');
  expect(formatEvaluation('fish', '')).toBe('llmtap env --shell fish | source');
});

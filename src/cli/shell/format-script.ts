import { TrackerError } from '../../core/errors.js';

export const shellNames = ['bash', 'fish', 'powershell'] as const;

/** `bash` stands for every shell of its family: sh, dash, zsh. */
export type ShellName = (typeof shellNames)[number];

/** What people call their shell by: those of the family of bash read the same lines. */
export const shellWords = [...shellNames, 'zsh', 'sh'] as const;

export function readShellName(word: (typeof shellWords)[number]): ShellName {
  return word === 'zsh' || word === 'sh' ? 'bash' : word;
}

/** New values of variables; `null` takes a variable away. */
export type EnvChanges = Readonly<Record<string, string | null>>;

/** Lines that make the changes when the shell evaluates them. Each ends with a line break. */
export function formatShellScript(shell: ShellName, changes: EnvChanges): string {
  const { set, unset } = dialects[shell];
  const lines = Object.entries(changes).map(([name, value]) => {
    requireName(name);
    return value === null ? unset(name) : set(name, value);
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** A line by which the shell that evaluates it writes its own process id to a file. */
export function formatPidLine(shell: ShellName, file: string): string {
  return `${dialects[shell].writePid(file)}\n`;
}

/** What to type so that a shell evaluates `llmtap env` with these arguments. */
export function formatEvaluation(shell: ShellName, args: string): string {
  const command = `llmtap env${args}`;
  if (shell === 'fish') return `${command} --shell fish | source`;
  if (shell === 'powershell') return `${command} --shell powershell | Out-String | Invoke-Expression`;
  return `eval "$(${command})"`;
}

/** The shell in use, by `SHELL`; PowerShell on Windows. */
export function findShell(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): ShellName {
  if (platform === 'win32') return 'powershell';
  const name = (env.SHELL ?? '').split('/').at(-1);
  if (name === 'fish') return 'fish';
  return name === 'pwsh' ? 'powershell' : 'bash';
}

interface ShellDialect {
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
  readonly writePid: (file: string) => string;
}

const dialects: Readonly<Record<ShellName, ShellDialect>> = {
  bash: {
    set: (name, value) => `export ${name}=${quotePosix(value)}`,
    unset: (name) => `unset ${name}`,
    writePid: (file) => `echo "$$" > ${quotePosix(file)}`,
  },
  fish: {
    set: (name, value) => `set -gx ${name} ${quoteFish(value)}`,
    unset: (name) => `set -e ${name}`,
    writePid: (file) => `echo $fish_pid > ${quoteFish(file)}`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = ${quotePowerShell(value)}`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`,
    writePid: (file) => `$PID | Out-File -Encoding ascii -FilePath ${quotePowerShell(file)}`,
  },
};

/** In single quotes nothing is special but the quote itself. */
function quotePosix(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Source: https://fishshell.com/docs/current/language.html#quotes (read 2026-11-21). */
function quoteFish(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** PowerShell takes typographic quotes for quotes, too. */
function quotePowerShell(value: string): string {
  return `'${value.replace(/['‘’‚‛]/g, '$&$&')}'`;
}

/** The text is evaluated: a name must be nothing but a name. */
function requireName(name: string): void {
  if (/^[A-Za-z_]\w*$/.test(name)) return;
  throw new TrackerError('INTERNAL', `Could not print a variable of the name ${JSON.stringify(name)} for a shell.`);
}

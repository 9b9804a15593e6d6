import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../../bin/llmtap.js', import.meta.url));

if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url))) {
  throw new Error('These tests start the built program: run `npm run build` first.');
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LaunchOptions {
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The working folder; that of the tests when absent. */
  readonly cwd?: string;
  /** Whose the process is; that of the tests when absent. */
  readonly uid?: number;
  /** Called once, when the program's stdout first holds the text. */
  readonly on?: { readonly text: string; readonly call: (child: ChildProcess) => void };
}

/** The environment of a person who has set nothing up. */
export function makeEnv(home: string, own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', LLMTAP_HOME: home, ...own };
}

/** Runs the real program to its end. */
export function launch(args: readonly string[], options: LaunchOptions): Promise<Ended> {
  return launchAny([process.execPath, launcher, ...args], options);
}

/** Runs any program to its end in the same environment. */
export function launchAny(
  command: readonly string[],
  { home, env, input, on, uid, cwd }: LaunchOptions,
): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: makeEnv(home, env),
    stdio: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let stdout = '';
  let stderr = '';
  let told = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (on === undefined || told || !stdout.includes(on.text)) return;
    told = true;
    on.call(child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that reads nothing closes its end.
  child.stdin.on('error', () => undefined).end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** A folder of its own, and what removes it. */
export function openFolder(): { readonly path: string; readonly close: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'llmtap-cli-'));
  return { path, close: () => rmSync(path, { recursive: true, force: true }) };
}

/** The lines of JSON Lines, parsed. */
export function readJsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

/** Resolves when a process has ended. */
export async function waitForEnd(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

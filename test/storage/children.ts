import { type ChildProcessWithoutNullStreams, type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface StorageChild {
  readonly process: ChildProcessWithoutNullStreams;
  /** What it has printed so far, whole lines only. */
  readonly lines: () => readonly string[];
  readonly errors: () => string;
  /** Resolves once it has printed so many lines. */
  readonly printed: (count: number) => Promise<void>;
  /** Resolves with its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export function findChild(name: string): string {
  return fileURLToPath(new URL(`children/${name}`, import.meta.url));
}

/** Starts one of `children/`; it is killed when the test ends. */
export function startChild(
  name: string,
  args: readonly string[],
  options: SpawnOptionsWithoutStdio = {},
): StorageChild {
  return follow(spawn(process.execPath, [findChild(name), ...args], options));
}

export function follow(child: ChildProcessWithoutNullStreams): StorageChild {
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = (): readonly string[] => out.split('\n').slice(0, -1);
  const printed = async (count: number): Promise<void> => {
    while (lines().length < count) {
      const isOver = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)]);
      if (isOver && lines().length < count) throw new Error(`child ended after ${lines().length} lines: ${errors}`);
    }
  };
  return { process: child, lines, errors: () => errors, printed, ended };
}

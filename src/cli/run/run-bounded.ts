import type { ChildProcess } from 'node:child_process';
import crossSpawn from 'cross-spawn';
import { findSystemCode, readErrorMessage } from '../../core/errors.js';

/** A program to be run to its end out of sight, and the bounds it is held to. */
export interface BoundedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Given to its stdin, which is closed after it. */
  readonly input: string;
  readonly deadlineMs: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

export interface BoundedEnd {
  /** `null` when a signal ended it, or it never began. */
  readonly status: number | null;
  readonly isLate: boolean;
  /** The system's code for why it never began; `null` when it did. */
  readonly startError: string | null;
  /** The beginning and the end of what it wrote to stdout and stderr. */
  readonly head: string;
  readonly tail: string;
  readonly durationMs: number;
}

const keptChars = 8192;
/** What a program leaves behind holding its pipes is given this long. */
const graceMs = 500;
/** A group of its own lets one signal reach whatever the program has started. */
const hasGroups = process.platform !== 'win32';

/** Runs a program within its bounds; at the deadline it and all of its process group are killed. Never rejects. */
export function runBounded(command: BoundedCommand): Promise<BoundedEnd> {
  return new Promise((resolve) => new BoundedRun(command, resolve).start());
}

class BoundedRun {
  readonly #command: BoundedCommand;
  readonly #resolve: (end: BoundedEnd) => void;
  readonly #startedAtMs = performance.now();
  readonly #onAbort = () => this.#kill();
  readonly #timers: NodeJS.Timeout[] = [];
  #child: ChildProcess | undefined;
  #head = '';
  #tail = '';
  #status: number | null = null;
  #isLate = false;
  #isDone = false;

  constructor(command: BoundedCommand, resolve: (end: BoundedEnd) => void) {
    this.#command = command;
    this.#resolve = resolve;
  }

  start(): void {
    const { command, args, env, cwd, input, deadlineMs, signal } = this.#command;
    try {
      const child = crossSpawn(command, [...args], { env, cwd, stdio: 'pipe', detached: hasGroups, windowsHide: true });
      this.#child = child;
      this.#listen(child);
      // A program that reads nothing closes its end.
      child.stdin?.on('error', () => undefined).end(input);
      this.#after(deadlineMs, () => {
        this.#isLate = true;
        this.#kill();
      });
      signal.addEventListener('abort', this.#onAbort);
      if (signal.aborted) this.#kill();
    } catch (error) {
      this.#end(error);
    }
  }

  #listen(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    }
    child.once('error', (error) => {
      if (child.pid === undefined) this.#end(error);
    });
    child.once('exit', (status) => {
      this.#status = status;
      this.#after(graceMs, () => this.#kill());
    });
    child.once('close', () => this.#end(null));
  }

  #keep(text: string): void {
    if (this.#head.length < keptChars) this.#head += text.slice(0, keptChars - this.#head.length);
    this.#tail = (this.#tail + text).slice(-keptChars);
  }

  /** NOTE: only while somebody holds the program's pipes: a group whose last process is gone may be another's soon. */
  #kill(): void {
    const pid = this.#child?.pid;
    if (this.#isDone || pid === undefined) return;
    try {
      process.kill(hasGroups ? -pid : pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
    // Who left the group keeps the pipes; it is waited for no longer.
    this.#after(graceMs, () => this.#end(null));
  }

  #after(delayMs: number, act: () => void): void {
    this.#timers.push(setTimeout(act, delayMs));
  }

  #end(error: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#command.signal.removeEventListener('abort', this.#onAbort);
    for (const stream of this.#child?.stdio ?? []) stream?.destroy();
    this.#resolve({
      status: this.#status,
      isLate: this.#isLate,
      startError: error === null ? null : (findSystemCode(error) ?? readErrorMessage(error)),
      head: this.#head,
      tail: this.#tail,
      durationMs: performance.now() - this.#startedAtMs,
    });
  }
}

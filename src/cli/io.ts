import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { findSystemCode } from '../core/errors.js';

/** A place to print to. */
export interface Output {
  readonly isTty: boolean;
  /** Width in characters; `null` where there is no terminal to fit into. */
  columns(): number | null;
  /** Writes all of it before returning. */
  write(text: string): void;
}

/** What a command touches of its process. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results only. Throws `EPIPE` when the reader went away: the program then ends quietly. */
  readonly stdout: Output;
  /** Everything else. Never throws. */
  readonly stderr: Output;
}

/** The real process's own. */
export function openProcessIo(): CliIo {
  return { env: process.env, stdout: makeOutput(1, true), stderr: makeOutput(2, false) };
}

/**
 * NOTE: never through `process.stdout` or `process.stderr`: making those streams sets O_NONBLOCK on a pipe, and a
 * pipe is shared with the child of `llmtap run`, whose own writes would then fail with EAGAIN.
 */
function makeOutput(fd: 1 | 2, throws: boolean): Output {
  const isTty = isatty(fd);
  return {
    isTty,
    columns: () => (isTty ? readColumns(fd) : null),
    write: (text) => {
      try {
        writeAll(fd, Buffer.from(text));
      } catch (error) {
        if (throws) throw error;
      }
    },
  };
}

/** Only for a terminal, which libuv opens anew for itself, so that nothing shared changes. */
function readColumns(fd: 1 | 2): number {
  const { columns } = fd === 1 ? process.stdout : process.stderr;
  return columns > 0 ? columns : 80;
}

const waiting = new Int32Array(new SharedArrayBuffer(4));

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      // Another owner of the pipe made it non-blocking and its reader is slow.
      if (findSystemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(waiting, 0, 0, 5);
    }
  }
}

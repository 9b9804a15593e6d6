import { readFileSync } from 'node:fs';
import { findSystemCode } from '../../core/errors.js';

/**
 * What tells a process from a later one with the same id: on Linux the start time, field 22 of `/proc/PID/stat`
 * (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, read 2026-11-21); elsewhere `null`.
 */
export function readStartMark(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    // Not Linux, or gone.
    return null;
  }
}

/** Whether the process lives and is still the one the mark was taken from. */
export function isAlive(pid: number, startMark: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (findSystemCode(error) !== 'EPERM') return false;
  }
  return startMark === null || readStartMark(pid) === startMark;
}

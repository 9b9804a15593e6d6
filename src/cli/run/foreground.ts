import { closeSync, openSync, readFileSync } from 'node:fs';

/**
 * Whether this process stands in the foreground of a terminal now, so that a Ctrl-C there reaches it and, as they
 * share a process group, its child as well.
 *
 * Linux says so in `/proc/self/stat`. Elsewhere having a terminal at all must do: a background job that is sent SIGINT
 * by hand is then taken for one interrupted by the keyboard.
 */
export function isInForeground(): boolean {
  if (process.platform === 'win32') return true;
  try {
    return readIsForeground(readFileSync('/proc/self/stat', 'latin1'));
  } catch {
    return hasTerminal();
  }
}

/**
 * Reads a line of `/proc/PID/stat`: after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid.
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (read 2026-11-21).
 */
export function readIsForeground(stat: string): boolean {
  const [, , group, , terminal, foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal !== '0' && group !== undefined && group === foregroundGroup;
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    // ENXIO: there is no controlling terminal.
    return false;
  }
}

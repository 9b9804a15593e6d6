import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { findSystemCode } from '../core/errors.js';
import { findFileText } from './regular-file.js';

/** Which process a folder belongs to, so that others can tell whether it still runs. */
export interface SessionOwner {
  readonly processId: number;
  /** Within which `processId` means anything, `pid:[4026531836]`; `null` when it cannot be told. */
  readonly pidNamespace: string | null;
  /** One boot of one machine; `null` when it cannot be told. */
  readonly boot: string | null;
  /** Clock ticks since boot; `null` when it cannot be told. A process id is given again, with another start. */
  readonly startedAt: string | null;
}

const maxRecordBytes = 1024;
const maxStatBytes = 16_384;

/** This process, as others will read it. */
export function findOwnIdentity(): SessionOwner {
  return {
    processId: process.pid,
    pidNamespace: findPidNamespace(),
    boot: findBoot(),
    startedAt: findStart(process.pid),
  };
}

/** The record: a line each for process id, namespace, boot and start; `-` for what cannot be told. */
export function formatOwner(owner: SessionOwner): string {
  const { processId, pidNamespace, boot, startedAt } = owner;
  return `${[processId, pidNamespace ?? '-', boot ?? '-', startedAt ?? '-'].join('\n')}\n`;
}

/** Reads what `formatOwner` made; `undefined` when there is none. Whatever stands at `path`, it is read at once. */
export function findOwner(path: string): SessionOwner | undefined {
  const [processId, ...rest] = findFileText(path, maxRecordBytes)?.split('\n') ?? [];
  if (processId === undefined || !/^[1-9]\d{0,9}$/.test(processId)) return undefined;
  const [pidNamespace = null, boot = null, startedAt = null] = rest.map((line) => {
    return line === '' || line === '-' ? null : line;
  });
  return { processId: Number(processId), pidNamespace, boot, startedAt };
}

/**
 * Whether the owner is known to run or to be gone; `unknown` when it was seen from another container, another machine or
 * another boot, where its process id names somebody else or nobody.
 */
export function judgeOwner(owner: SessionOwner, self: SessionOwner): 'running' | 'gone' | 'unknown' {
  const isComparable = self.pidNamespace !== null && self.boot !== null;
  if (!isComparable || owner.pidNamespace !== self.pidNamespace || owner.boot !== self.boot) return 'unknown';
  if (isGone(owner.processId)) return 'gone';
  const startedAt = findStart(owner.processId);
  const isAnother = owner.startedAt !== null && startedAt !== null && owner.startedAt !== startedAt;
  return isAnother ? 'gone' : 'running';
}

function isGone(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return findSystemCode(error) === 'ESRCH';
  }
}

/** Only Linux has them. Source: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html (read 2026-11-21). */
function findPidNamespace(): string | null {
  if (process.platform !== 'linux') return 'none';
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // No /proc, or one that does not show them.
    return null;
  }
}

/** Elsewhere than on Linux the machine alone is told: a folder of an earlier boot is then judged by process id. */
function findBoot(): string | null {
  if (process.platform !== 'linux') return hostname() || null;
  return findFileText('/proc/sys/kernel/random/boot_id', maxRecordBytes)?.trim() || null;
}

/**
 * The 22nd field; the second, the name in parentheses, may hold blanks and parentheses itself.
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (read 2026-11-21).
 */
function findStart(processId: number): string | null {
  if (process.platform !== 'linux') return null;
  const text = findFileText(`/proc/${processId}/stat`, maxStatBytes) ?? '';
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

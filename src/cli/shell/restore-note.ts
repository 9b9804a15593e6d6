import type { EnvChanges } from './format-script.js';

/** The variable `llmtap env` leaves in the shell, so that `--unset` can put everything back. */
export const restoreName = 'LLMTAP_ENV_RESTORE';

/** What the shell had before, and which background process answers it now. Kept in the shell alone, in no file. */
export interface RestoreNote {
  readonly pid: number;
  /** Tells a process from a later one of the same id; `null` where the system does not. */
  readonly startMark: string | null;
  readonly previous: EnvChanges;
}

export function formatRestoreNote(note: RestoreNote): string {
  return Buffer.from(JSON.stringify(note)).toString('base64');
}

/** `undefined` when there is none, or what is there is none of ours. */
export function findRestoreNote(env: Readonly<Record<string, string | undefined>>): RestoreNote | undefined {
  try {
    const note: unknown = JSON.parse(Buffer.from(env[restoreName] ?? '', 'base64').toString());
    return isRestoreNote(note) ? note : undefined;
  } catch {
    // Empty, or not JSON.
    return undefined;
  }
}

function isRestoreNote(note: unknown): note is RestoreNote {
  if (typeof note !== 'object' || note === null) return false;
  if (!('pid' in note && Number.isSafeInteger(note.pid) && Number(note.pid) > 1)) return false;
  if (!('startMark' in note && (note.startMark === null || typeof note.startMark === 'string'))) return false;
  if (!('previous' in note && typeof note.previous === 'object' && note.previous !== null)) return false;
  return Object.values(note.previous).every((value) => value === null || typeof value === 'string');
}

import { accessSync, constants } from 'node:fs';
import { readErrorMessage, TrackerError } from '../core/errors.js';

/**
 * The user's home, ready to be read. One that is absent is made, for what cannot be made is no home without records
 * but a mistake; one that may not be entered is refused. Throws `HOME_UNUSABLE`.
 */
export async function openHome(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { findHome, requireHome } = await import('../ca/paths.js');
  const home = findReachableHome(env, findHome);
  return isEnterable(home) ? home : requireHome(home);
}

/** A folder above the home may be closed to us, which the system says by throwing. */
function findReachableHome(
  env: Readonly<Record<string, string | undefined>>,
  findHome: (env: Readonly<Record<string, string | undefined>>) => string,
): string {
  try {
    return findHome(env);
  } catch (error) {
    if (error instanceof TrackerError) throw error;
    throw new TrackerError('HOME_UNUSABLE', `Could not use the home folder: ${readErrorMessage(error)}.`, {
      cause: error,
      hint: 'Set LLMTAP_HOME to a folder of your own that can be written to.',
    });
  }
}

/** NOTE: writing is not asked for: a ledger may be read where nothing can be written. */
function isEnterable(home: string): boolean {
  try {
    accessSync(home, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

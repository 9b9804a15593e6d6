import { accessSync, constants } from 'node:fs';

/**
 * The user's home, ready to be read. One that is absent is made, for what cannot be made is no home without records
 * but a mistake; one that may not be entered is refused. Throws `HOME_UNUSABLE`.
 */
export async function openHome(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { findHome, requireHome } = await import('../ca/paths.js');
  const home = findHome(env);
  return isEnterable(home) ? home : requireHome(home);
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

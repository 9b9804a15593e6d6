import { TrackerError } from '../core/errors.js';
import type { ProviderRegistration } from '../core/wire.js';

/**
 * Refuses two registrations of one name, of which the host would keep the last alone, and the name of a built-in
 * provider, whose records nobody could tell from theirs. Throws `OPTION_CONFLICT`.
 */
export function requireDistinctNames(
  registrations: readonly Pick<ProviderRegistration, 'name'>[],
  builtIn: ReadonlySet<string>,
): void {
  const seen = new Set<string>();
  for (const { name } of registrations) {
    if (builtIn.has(name)) {
      throw makeConflict(`Could not register the provider "${name}": a built-in provider has that name.`, name);
    }
    if (seen.has(name)) {
      throw makeConflict(`Could not register the provider "${name}": two registrations have that name.`, name);
    }
    seen.add(name);
  }
}

function makeConflict(message: string, name: string): TrackerError {
  return new TrackerError('OPTION_CONFLICT', message, {
    hint: `Give each server a name of its own: --provider my-${name}=http://…`,
  });
}

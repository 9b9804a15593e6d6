import { TrackerError } from '../core/errors.js';
import type { ProviderRegistration } from '../core/wire.js';
import { CATALOGUE } from './catalogue.js';

type Named = Pick<ProviderRegistration, 'name'>;

/**
 * Refuses two registrations of one name, of which the registry would keep the last alone, and the name of a built-in
 * provider, whose records nobody could tell from theirs. Throws `OPTION_CONFLICT`.
 */
export function requireDistinctNames(registrations: readonly Named[]): void {
  const seen = new Set<string>();
  for (const registration of registrations) {
    requireOwnName(registration);
    const { name } = registration;
    if (seen.has(name)) throw makeConflict(name, 'two registrations have that name');
    seen.add(name);
  }
}

/** Refuses the name of a built-in provider. Throws `OPTION_CONFLICT`. */
export function requireOwnName({ name }: Named): void {
  if (CATALOGUE.some((entry) => entry.name === name)) throw makeConflict(name, 'a built-in provider has that name');
}

function makeConflict(name: string, reason: string): TrackerError {
  return new TrackerError('OPTION_CONFLICT', `Could not register the provider "${name}": ${reason}.`, {
    hint: `Give each server a name of its own, such as my-${name}.`,
  });
}

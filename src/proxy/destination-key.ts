import { formatAuthority } from './authority-form.js';
import type { Destination } from './connector.js';

/** Destinations of one key share their connections: where to, by which name, and with which TLS. */
export function makeDestinationKey({ origin, serverName, profile }: Destination): string {
  return `${origin.scheme} ${formatAuthority(origin.host, origin.port)} ${serverName} ${profile?.id ?? ''}`;
}

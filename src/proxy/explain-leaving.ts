import type { Door } from './door.js';

/**
 * Why a call has no whole reply though its provider did nothing wrong: its client left, or the session was closed under
 * both, as by a tracker's `stop` whose patience is over.
 *
 * @param milestone what did not come about: `the reply ended`
 */
export function explainLeaving(
  door: Pick<Door, 'isCut'>,
  milestone: string,
): { readonly code: 'CLIENT_ABORTED' | 'SESSION_CLOSED'; readonly message: string } {
  return door.isCut
    ? { code: 'SESSION_CLOSED', message: `The session was closed before ${milestone}.` }
    : { code: 'CLIENT_ABORTED', message: `The client closed its connection before ${milestone}.` };
}

import type { SocketSide } from '../core/socket.js';

/** How a socket's connection went. */
export interface SocketEnding {
  readonly how: 'upstream_aborted' | 'client_aborted';
  readonly error: { readonly code: string; readonly message: string };
}

/** A close frame: the side that sent the first, and its code and reason. */
export interface SocketClosing {
  readonly side: SocketSide;
  readonly words: string;
}

/** Who closed the socket by its own words, else whose connection went first; `null` while the socket lives. */
export function explainEnding(ending: SocketEnding | null, closed: SocketClosing | null): SocketEnding | null {
  if (ending === null || ending.error.code === 'SESSION_CLOSED' || closed === null) return ending;
  return closed.side === 'client'
    ? { how: 'client_aborted', error: makeError('CLIENT_ABORTED', 'client', closed.words) }
    : { how: 'upstream_aborted', error: makeError('UPSTREAM_ABORTED', 'provider', closed.words) };
}

function makeError(code: string, who: string, words: string): SocketEnding['error'] {
  return { code, message: `The ${who} closed the WebSocket before the response ended (${words}).` };
}

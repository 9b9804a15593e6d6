import type { Duplex } from 'node:stream';
import type { CachedCall } from '../core/call-cache.js';
import type { SocketMatch, SocketWatch } from '../core/socket.js';
import type { RequestHead } from '../core/wire.js';

/** A WebSocket that is asked for. */
export interface AskedSocket extends Pick<CachedCall, 'hasSecret' | 'redact'> {
  readonly head: RequestHead;
  readonly match: SocketMatch;
}

/** What a cassette does for the WebSockets of a session. */
export interface CassetteSockets {
  /** Hears a socket that is relayed; absent where nothing is recorded. */
  readonly hear?: (asked: AskedSocket) => SocketWatch;
  /** The far end of a socket that was recorded; `null` where it was not, absent where nothing is played. */
  readonly answer?: (asked: AskedSocket) => Duplex | null;
}

import type { Connector } from './connector.js';
import type { Http2Upstream } from './http2-upstream.js';
import type { Mitm, MitmHandlers } from './mitm.js';
import type { Upstream } from './upstream.js';

/** What serving needs: the server every door hands its sockets to, and the connections to the world. */
export interface Engine {
  readonly mitm: Mitm;
  readonly upstream: Upstream;
  /** For clients of HTTP/2. */
  readonly http2Upstream: Http2Upstream;
}

export interface EngineHandlers extends MitmHandlers {
  /** The last connection to a destination has ended, by its key. */
  readonly onLost: (key: string) => void;
}

/** Loads the two heavy parts and puts them together: a quarter of a second of modules on a slow machine. */
export async function loadEngine({ onLost, ...handlers }: EngineHandlers, connector: Connector): Promise<Engine> {
  const [{ Mitm }, { Upstream }, { Http2Upstream }] = await Promise.all([
    import('./mitm.js'),
    import('./upstream.js'),
    import('./http2-upstream.js'),
  ]);
  const upstream = new Upstream(connector, onLost);
  const onProblem = (error: Error): void => handlers.onProblem('HANDLER_ERROR', error);
  return { mitm: new Mitm(handlers), upstream, http2Upstream: new Http2Upstream(connector, upstream, onProblem) };
}

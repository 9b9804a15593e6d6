import type { ErrorCode } from './errors.js';
import type { Session } from './session.js';

/** Where the connections of a session go. */
export interface DoorAddress {
  readonly host: string;
  readonly port: number;
  /** `Proxy-Authorization` to send with every CONNECT; `null` when the door asks for none. */
  readonly authorization: string | null;
}

/** Something started inside a scope that may outlive it: a child process or a Worker. */
export interface Descendant {
  once(event: 'exit', listener: () => void): unknown;
  off(event: 'exit', listener: () => void): unknown;
  /** Of a child process: set when it has ended. */
  readonly exitCode?: number | null;
  readonly signalCode?: string | null;
  /** Of a Worker: -1 when it has ended. */
  readonly threadId?: number;
}

/**
 * A session as the code that redirects traffic and children sees it. Everything is answered at once, for connections
 * and children are made in synchronous calls.
 */
export interface ScopedSession {
  readonly session: Session;
  /** Whether traffic still belongs to it. Once `false` it stays so, and the traffic goes as if there were no scope. */
  readonly isOpen: boolean;
  /** Whether nothing of it may reach a provider, as in a replay: what cannot go through its door fails. Not when absent. */
  readonly isSealed?: boolean;
  /**
   * Whether the session's variables win over those of an `env` given to a child as well. For
   * `env: {...process.env, X}`, which carries the shell's own proxy along.
   */
  readonly force: boolean;
  /** Asked for at every connection: another port may be served after the host was restarted. */
  readonly door: DoorAddress;
  /** PEM of our root. */
  readonly caPem: string;
  /** PEM file of system roots, Node's, the user's own and ours. */
  readonly bundlePath: string;
  /** `undefined` while the host serves; else resolves when it does again, or never will (`isOpen` tells which). */
  whenServing(): Promise<void> | undefined;
  /** Whether this destination belongs to a provider, so that its connections go through the door. */
  isProvider(scheme: 'https' | 'http', host: string, port: number): boolean;
  /**
   * The variables that lead a child through the session, to be set over `parentEnv`. Makes the session's files at the
   * first call. Throws `HOME_UNUSABLE`.
   */
  makeChildVariables(parentEnv: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>>;
  /** Keeps the session's door open for as long as the descendant lives, also beyond the scope. */
  noteDescendant(descendant: Descendant): void;
  /**
   * A connection is on its way to the door. The returned function, which may be called twice, says that it is there or
   * failed; until then the door stays open, also beyond the scope.
   */
  noteOpening(): () => void;
  /** Announces what cannot be seen, or failed; once for every distinct message. */
  announceFault(code: ErrorCode, message: string, hint: string | null): void;
}

import { caFileVariables } from '../../core/ca-variables.js';
import { TrackerError } from '../../core/errors.js';
import type { Origin } from '../../core/wire.js';
import { type Env, makeChildEnv } from '../child-env.js';
import { makeRunVariables } from '../run-variables.js';
import { openSessionFiles, type SessionFiles } from '../session-files.js';

export interface SessionEnvironmentOptions {
  /** Absolute. */
  readonly home: string;
  readonly sessionId: string;
  readonly runId: string;
  /** As `RunPlace` has them; none when absent. */
  readonly token?: string | null;
  readonly traceparent?: string | undefined;
  /** Asked for at every child: another port may be served after the host was restarted. */
  readonly proxyUrl: () => string;
  /** PEM files as `makeChildEnv` takes them. */
  readonly caPath: string;
  readonly bundlePath: string;
  readonly extraCaPath: string;
  readonly bundleFor: (userFile: string | undefined) => string;
  /** Absolute path of node-hook.cjs. */
  readonly hookPath: string;
  /** Origins of the models the user registered; asked for at every child. */
  readonly registered: () => readonly Origin[];
  /** Set for every child besides, over all others. */
  readonly extraVariables?: Readonly<Record<string, string>>;
}

/** What the children of one session get, as `ScopedSession.makeChildVariables` promises it. */
export interface SessionEnvironment {
  /**
   * Costs some milliseconds for the first child and for the first with other proxy exceptions, CA files or
   * `NODE_OPTIONS`, and some microseconds for all others. A CA file the user rewrites meanwhile is not read again.
   *
   * Throws `HOME_UNUSABLE`, and `SESSION_CLOSED` after `close`.
   */
  makeChildVariables(parentEnv: Env): Readonly<Record<string, string>>;
  /** Removes the session's files; may be called twice. Not before the last child has ended. */
  close(): void;
}

const runNames = ['TRACEPARENT', 'LLMTAP_RESUMPTION_TOKEN'] as const;
/** All that `makeChildEnv` and `makeRunVariables` read of a child's environment. */
const readNames = [
  ...caFileVariables,
  'NO_PROXY',
  'no_proxy',
  'NODE_OPTIONS',
  'PHP_INI_SCAN_DIR',
  ...runNames,
] as const;
/** A program has a handful of environments; one that makes a new one for every child is not to grow us. */
const maxKept = 16;

/** Makes nothing until the first child asks. */
export function makeSessionEnvironment(options: SessionEnvironmentOptions): SessionEnvironment {
  return new LazySessionEnvironment(options);
}

class LazySessionEnvironment implements SessionEnvironment {
  readonly #options: SessionEnvironmentOptions;
  readonly #kept = new Map<string, Readonly<Record<string, string>>>();
  /** By the proxy they were written for: wget's settings may name it. */
  readonly #files = new Map<string, SessionFiles>();
  #isClosed = false;

  constructor(options: SessionEnvironmentOptions) {
    this.#options = options;
  }

  makeChildVariables(parentEnv: Env): Readonly<Record<string, string>> {
    const { sessionId } = this.#options;
    if (this.#isClosed) {
      throw new TrackerError(
        'SESSION_CLOSED',
        `Could not make variables for a child: session ${sessionId} is closed.`,
        {
          hint: 'Start the child inside the scope.',
        },
      );
    }
    const proxyUrl = this.#options.proxyUrl();
    const registered = this.#options.registered();
    const key = JSON.stringify([proxyUrl, registered, readNames.map((name) => parentEnv[name] ?? null)]);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = this.#make(parentEnv, proxyUrl, registered);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, made);
    return made;
  }

  close(): void {
    this.#isClosed = true;
    this.#kept.clear();
    for (const files of this.#files.values()) files.close();
    this.#files.clear();
  }

  #make(parentEnv: Env, proxyUrl: string, registered: readonly Origin[]): Readonly<Record<string, string>> {
    const { caPath, extraCaPath, bundleFor, hookPath, sessionId, runId, extraVariables } = this.#options;
    const { token = null, traceparent } = this.#options;
    const sessionFolder = this.#requireFiles(parentEnv, proxyUrl).folder;
    return Object.freeze({
      ...makeChildEnv({
        parentEnv,
        proxyUrl,
        caPath,
        extraCaPath,
        bundleFor,
        sessionFolder,
        hookPath,
        registered,
      }),
      ...makeRunVariables({ sessionId, runId, token, traceparent }, parentEnv),
      ...extraVariables,
    });
  }

  #requireFiles(parentEnv: Env, proxyUrl: string): SessionFiles {
    const { home, sessionId, bundlePath, bundleFor } = this.#options;
    const files =
      this.#files.get(proxyUrl) ?? openSessionFiles({ home, sessionId, parentEnv, proxyUrl, bundlePath, bundleFor });
    this.#files.set(proxyUrl, files);
    return files;
  }
}

import { TrackerError } from '../core/errors.js';
import type { BodyPolicy } from '../core/ledger.js';
import type { Router } from '../core/routing.js';
import type { SessionIds } from '../core/session.js';
import type { ProviderRegistration } from '../core/wire.js';

/** The ids a scope stamps on its calls. What is absent or `null` is not given. */
export type ScopeIds = { readonly [K in keyof SessionIds]?: SessionIds[K] | null };

/** The ids that are given. */
export type GivenIds = { readonly [K in keyof SessionIds]?: NonNullable<SessionIds[K]> };

/** One scope. */
export interface ScopeOptions extends ScopeIds {
  /** Chooses the model of every call; `null` routes none, also where the tracker has a router. */
  readonly router?: Router | null;
  /**
   * Lead children through the session also when their `env` is given and says otherwise, as `{...process.env, X}` does in
   * a shell with proxy variables of its own. Off when absent.
   */
  readonly force?: boolean;
  /** Ask for a password on the session's port; it stands in the proxy URL. Always so beyond loopback. */
  readonly credentials?: boolean;
}

/**
 * A tracker. Every id given opens one session for the tracker's whole life; its `dataId` and `comboId` are `default` when
 * not given.
 */
export interface TrackerOptions extends ScopeOptions {
  /** Where CA, ledger and session files are kept; `LLMTAP_HOME`, or the platform's folder for user data, when absent. */
  readonly home?: string;
  /** Whose proxies, CA files and keys are respected; `process.env` when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is kept of bodies; `redacted` when absent. */
  readonly bodies?: BodyPolicy;
  /** Dial another address, `HOST:PORT:ADDR:PORT` as curl's `--connect-to`. */
  readonly connectTo?: readonly string[];
  /** PEM file trusted for providers besides the usual roots. */
  readonly upstreamCa?: string;
  /** Model servers of your own. */
  readonly providers?: readonly ProviderRegistration[];
  /**
   * The address sessions listen on: `127.0.0.1` when absent. Containers reach another only, such as `172.17.0.1`, that of
   * Docker's bridge; whoever can reach it needs the session's password.
   */
  readonly bindAddress?: string;
  /** How long `stop` waits for calls under way, milliseconds; 2000 when absent. */
  readonly drainMs?: number;
  /** Not in this version: anything but `false` is refused. */
  readonly cache?: false;
}

/** What a timer of Node takes. */
const maxDrainMs = 2 ** 31 - 1;
const textIds = [
  'runId',
  'configKey',
  'variationKey',
  'graphKey',
  'graphRunId',
  'dataId',
  'comboId',
  'agentId',
] as const;
const idNames = [...textIds, 'version'] as const;
const scopeNames: ReadonlySet<string> = new Set([...idNames, 'router', 'force', 'credentials']);
const trackerNames: ReadonlySet<string> = new Set([
  ...scopeNames,
  ...['home', 'env', 'bodies', 'connectTo', 'upstreamCa', 'providers', 'bindAddress', 'drainMs', 'cache'],
]);

/** What other trackers of this kind have and this version does not, each with what to do instead. */
const absent: Readonly<Record<string, string>> = {
  cache: 'there is no cache of replies in this version. Leave it out, or give false.',
  cacheDir: 'there is no cache of replies in this version. Leave it out.',
  gatewayUrl: 'there is no gateway in this version. Leave it out: the tap runs in a thread of this process.',
};

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (isRight: (part: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isRight);

/** What an option has to be; what it says is checked by who uses it. */
const shapes: readonly (readonly [name: string, wanted: string, isRight: (value: unknown) => boolean])[] = [
  ['home', 'the path of a folder', isText],
  ['env', 'an object of variables', isObject],
  ['bodies', 'none, redacted or full', (value) => ['none', 'redacted', 'full'].includes(String(value))],
  ['connectTo', 'a list of HOST:PORT:ADDR:PORT', isListOf(isText)],
  ['upstreamCa', 'the path of a PEM file', isText],
  ['providers', 'a list of { name, baseUrl }', isListOf(isObject)],
  ['bindAddress', 'an address of this machine', isText],
  ['drainMs', 'a number of milliseconds', (value) => typeof value === 'number' && value >= 0 && value <= maxDrainMs],
];

/** Checks what a caller without types may have got wrong. Throws `OPTION_INVALID`. */
export function checkTrackerOptions(options: TrackerOptions): void {
  const given: Readonly<Record<string, unknown>> = requireObject(options, 'new LLMTracker');
  for (const [name, remedy] of Object.entries(absent)) {
    if (given[name] !== undefined && given[name] !== false && given[name] !== null) {
      throw new TrackerError('OPTION_INVALID', `Could not use the option ${name}: ${remedy}`);
    }
  }
  checkNames(given, new Set([...trackerNames, ...Object.keys(absent)]), 'new LLMTracker');
  checkIds(options);
  for (const [name, wanted, isRight] of shapes) {
    const value = given[name];
    if (value !== undefined && !isRight(value)) throw makeInvalid(name, value, wanted);
  }
  checkRouter(options.router);
}

/** As `checkTrackerOptions`, for one scope. Throws `OPTION_INVALID`. */
export function checkScopeOptions(options: ScopeOptions): void {
  checkNames(requireObject(options, 'a scope'), scopeNames, 'a scope');
  checkIds(options);
  checkRouter(options.router);
}

/**
 * The ids of a scope: its own, then the tracker's. Throws `OPTION_CONFLICT` when both give one and they differ: the
 * tracker's whole life belongs to the id it was made for.
 */
export function mergeIds(scope: ScopeIds, tracker: ScopeIds): GivenIds {
  const merged: Record<string, unknown> = {};
  for (const name of idNames) {
    const own = scope[name] ?? null;
    const inherited = tracker[name] ?? null;
    if (own !== null && inherited !== null && own !== inherited) {
      throw new TrackerError(
        'OPTION_CONFLICT',
        `Could not open a scope with ${name} ${JSON.stringify(own)}: this tracker was made for ${name} ${JSON.stringify(inherited)}.`,
        { hint: `Leave ${name} out of one of them, or make another tracker.` },
      );
    }
    const value = own ?? inherited;
    if (value !== null) merged[name] = value;
  }
  return merged;
}

/** Whether any id is given. */
export function hasIds(options: ScopeIds): boolean {
  return idNames.some((name) => (options[name] ?? null) !== null);
}

/** The ids among other options. */
export function pickIds(options: ScopeIds): GivenIds {
  return mergeIds(options, {});
}

function checkIds(options: ScopeIds): void {
  for (const name of textIds) {
    const value: unknown = options[name] ?? null;
    if (value !== null && (typeof value !== 'string' || value.trim() === '' || value.length > 512)) {
      throw makeInvalid(name, value, 'a text of 1 to 512 characters');
    }
  }
  const version: unknown = options.version ?? null;
  if (version !== null && !(Number.isSafeInteger(version) && Number(version) >= 0)) {
    throw makeInvalid('version', version, 'a whole number of 0 or more');
  }
}

function checkRouter(router: unknown): void {
  if (router !== undefined && router !== null && typeof router !== 'function') {
    throw makeInvalid('router', router, 'a function, or null');
  }
}

function checkNames(given: Readonly<Record<string, unknown>>, known: ReadonlySet<string>, what: string): void {
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new TrackerError(
    'OPTION_INVALID',
    `Could not read the options of ${what}: there is no option "${unknown[0]}".`,
    {
      hint: `There are: ${[...known].filter((name) => !(name in absent)).join(', ')}.`,
    },
  );
}

function requireObject(options: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof options === 'object' && options !== null) return options as Readonly<Record<string, unknown>>;
  throw new TrackerError('OPTION_INVALID', `Could not read the options of ${what}: ${describe(options)} is no object.`);
}

function makeInvalid(name: string, value: unknown, wanted: string): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not use ${name} ${describe(value)}: it has to be ${wanted}.`);
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value.slice(0, 60))
    : typeof value === 'number'
      ? String(value)
      : typeof value;
}

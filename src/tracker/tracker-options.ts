// Longer than a file is: what a tracker and a scope are told, each option with what it means and how it is checked.
import { type BudgetLimits, checkBudget } from '../core/budget.js';
import { type CacheChoice, cacheChoiceWanted, isCacheChoice, readCacheChoice } from '../core/cache-choice.js';
import type { CassetteUse } from '../core/cassette.js';
import { TrackerError } from '../core/errors.js';
import type { ExporterPlan } from '../core/exporting.js';
import type { Dedupe } from '../core/host.js';
import type { BodyPolicy } from '../core/ledger.js';
import {
  checkNames,
  checkShapes,
  isListOf,
  isObject,
  isText,
  requireObject,
  type Shape,
  type Shapes,
} from '../core/option-checks.js';
import type { Router, RouterDescription, RouterObject } from '../core/routing.js';
import type { EventSink, RunLogger } from '../core/run-events.js';
import type { ProviderRegistration } from '../core/wire.js';
import { makeFactory } from '../routing/makers.js';
import { routerShape } from './router-option.js';
import type { ScopeConfig } from './run-options.js';
import { idShapes, orNull, type ScopeIds } from './scope-ids.js';

/** Whose run a scope is, and for whom. */
export interface RunOptions {
  /** The config whose run it is, in the place of `configKey` and the ids that go with it. */
  readonly config?: ScopeConfig | null;
  /**
   * Who or what the run is for, as the flags know it; sent with the events of the run.
   * `{ kind: 'llmtap', key: CONFIG KEY, anonymous: true }` when absent.
   */
  readonly context?: object | null;
  /**
   * Over what each fact of a run is recorded once: this scope (`tracker`, when absent), or all that share its `runId`, in
   * whatever process (`run`), which the ledger holds.
   */
  readonly dedupe?: Dedupe | null;
  /** `caller` when you state what the run came to, and the wire is to say nothing of it: a run of several scopes, say. */
  readonly statedBy?: 'caller' | null;
}

/** One scope. */
export interface ScopeOptions extends ScopeIds, RunOptions {
  /**
   * Chooses the model of every call: a function of yours, an object with one, or `{ name, options }` of a router that comes
   * with llmtap. `null` routes none, also where the tracker has a router.
   */
  readonly router?: Router | RouterObject | RouterDescription | null;
  /** What may be spent: of a scope by its run, of a tracker by all its calls. Calls beyond are refused. */
  readonly budget?: BudgetLimits;
  /**
   * Lead children through the session also when their `env` is given and says otherwise, as `{...process.env, X}` does in
   * a shell with proxy variables of its own. Off when absent.
   */
  readonly force?: boolean;
  /**
   * Records the scope's calls to a file, or answers them from one: then nothing goes out, or with `replay-or-live` only what
   * was not recorded. Neither when absent.
   */
  readonly cassette?: CassetteUse;
  /** Ask for a password on the session's port; it stands in the proxy URL. Always so beyond loopback. */
  readonly credentials?: boolean;
  /**
   * Whether calls are answered from kept replies, and how: that of the scope, then the tracker's; not at all when absent.
   * A call's own `x-llmtap-cache` header comes before both.
   */
  readonly cache?: CacheChoice;
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
  /** Dial another address, `HOST:PORT:ADDR:PORT` as curl's `--connect-to`: a part left empty is any, or the same. */
  readonly connectTo?: readonly string[];
  /** PEM file trusted for providers besides the usual roots. */
  readonly upstreamCa?: string;
  /** Model servers of your own. */
  readonly providers?: readonly ProviderRegistration[];
  /** JSON file of prices of your own, which come before the list's. */
  readonly prices?: string;
  /** Where events go besides the ledger; nowhere when absent. */
  readonly exporters?: readonly ExporterPlan[];
  /**
   * Sinks in this program, which get every event of a run, by whoever: LaunchDarkly's client is one. Flushed, not closed, by
   * `close`.
   */
  readonly sinks?: readonly EventSink[];
  /** Where the trackers of scopes say what they skipped; nowhere when absent. */
  readonly logger?: RunLogger | null;
  /**
   * The address sessions listen on: `127.0.0.1` when absent. Containers reach another only, such as `172.17.0.1`, that of
   * Docker's bridge; whoever can reach it needs the session's password.
   */
  readonly bindAddress?: string;
  /** How long `stop` waits for calls under way, milliseconds; 2000 when absent. */
  readonly drainMs?: number;
  /** How long a call waits for the router before it goes as asked, milliseconds; 1000 when absent. */
  readonly routerDeadlineMs?: number;
  /** The folder replies are kept in, as `cache.db`: `.llmtap` in the working folder when absent, memory alone when `null`. */
  readonly cacheDir?: string | null;
  /** How large the cache may get: what was used longest ago goes first. 1 GiB, and 1,000,000 entries, when absent. */
  readonly cacheMaxBytes?: number;
  readonly cacheMaxEntries?: number;
}

/** What a timer of Node takes. */
const longestMs = 2 ** 31 - 1;

const flag: Shape = { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' };

const count: Shape = {
  wanted: 'a whole number over 0',
  isRight: (value) => Number.isSafeInteger(value) && Number(value) > 0,
};

const hasMethods =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const scopeShapes: Shapes = {
  ...idShapes,
  config: orNull({ wanted: 'a config with a key, or null', isRight: isObject }),
  context: orNull({ wanted: 'an object, or null', isRight: isObject }),
  statedBy: orNull({ wanted: 'caller', isRight: (value) => value === 'caller' }),
  dedupe: orNull({ wanted: 'tracker or run', isRight: (value) => value === 'tracker' || value === 'run' }),
  router: orNull(routerShape),
  budget: { wanted: 'an object of maxCostUsd, maxCalls, maxTokens', isRight: isObject },
  force: flag,
  credentials: flag,
  cache: { wanted: cacheChoiceWanted, isRight: isCacheChoice },
  cassette: { wanted: 'an object of mode and path', isRight: isObject },
};

const trackerShapes: Shapes = {
  ...scopeShapes,
  home: { wanted: 'the path of a folder', isRight: isText },
  env: { wanted: 'an object of variables', isRight: isObject },
  bodies: {
    wanted: 'none, redacted or full',
    isRight: (value) => ['none', 'redacted', 'full'].includes(value as string),
  },
  connectTo: { wanted: 'a list of HOST:PORT:ADDR:PORT', isRight: isListOf(isText) },
  upstreamCa: { wanted: 'the path of a PEM file', isRight: isText },
  providers: { wanted: 'a list of { name, baseUrl }', isRight: isListOf(isObject) },
  prices: { wanted: 'the path of a JSON file', isRight: isText },
  exporters: { wanted: 'a list of { kind }', isRight: isListOf(isObject) },
  cacheDir: orNull({
    wanted: 'the path of a folder, or null for memory alone',
    isRight: (value) => typeof value === 'string' && value.trim() !== '',
  }),
  cacheMaxBytes: count,
  cacheMaxEntries: count,
  sinks: { wanted: 'a list of objects with a method track', isRight: isListOf(hasMethods('track')) },
  logger: orNull({
    wanted: 'an object with debug, info, warn, error',
    isRight: hasMethods('debug', 'info', 'warn', 'error'),
  }),
  bindAddress: { wanted: 'an address of this machine', isRight: isText },
  drainMs: {
    wanted: `a number of milliseconds from 0 to ${longestMs}`,
    isRight: (value) => typeof value === 'number' && value >= 0 && value <= longestMs,
  },
  routerDeadlineMs: {
    wanted: `a number of milliseconds over 0 and up to ${longestMs}`,
    isRight: (value) => typeof value === 'number' && value > 0 && value <= longestMs,
  },
};

/** What other trackers of this kind have and this version does not: why, and what to do instead. */
const absent: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  gatewayUrl: ['there is no gateway in this version', 'Leave it out: the tap runs in a thread of this process.'],
};

/** Checks what a caller without types may have got wrong. Throws `OPTION_INVALID`. */
export function checkTrackerOptions(options: TrackerOptions): void {
  const { gatewayUrl, ...given } = requireObject(options, 'new LLMTracker');
  for (const [name, value] of Object.entries({ gatewayUrl })) {
    if (value === undefined || value === false || value === null) continue;
    const [reason, hint] = absent[name] ?? [];
    throw new TrackerError('OPTION_INVALID', `Could not use the option ${name}: ${reason}.`, { ...(hint && { hint }) });
  }
  checkNames(given, Object.keys(trackerShapes), 'new LLMTracker');
  checkShapes(given, trackerShapes);
  if (options.budget !== undefined) checkBudget(options.budget);
  readCacheChoice(given.cache as CacheChoice | undefined);
  checkRouter(options.router);
}

/** As `checkTrackerOptions`, for one scope. Throws `OPTION_INVALID`. */
export function checkScopeOptions(options: ScopeOptions): void {
  const given = requireObject(options, 'a scope');
  checkNames(given, Object.keys(scopeShapes), 'a scope');
  checkShapes(given, scopeShapes);
  if (options.budget !== undefined) checkBudget(options.budget);
  readCacheChoice(given.cache as CacheChoice | undefined);
}

/** A router that comes with llmtap, before the host makes it. */
function checkRouter(router: TrackerOptions['router']): void {
  if (typeof router !== 'object' || router === null || 'route' in router) return;
  makeFactory(router, { freshSeed: () => '' });
}

import { TrackerError } from '../core/errors.js';
import { isObject } from '../core/option-checks.js';

// The format is that of LaunchDarkly's server-side AI SDKs, read 2026-11-27 in
// https://github.com/launchdarkly/js-core/tree/main/packages/sdk/server-ai (2.0.1): base64 in the alphabet for URLs, without
// padding, of compact JSON in UTF-8. Nothing in it is signed or secret; who holds one can add to its run.

/** What a config tracker's resumption token says: which run of which config. */
export interface ConfigTokenFields {
  readonly runId: string;
  readonly configKey: string;
  /** Empty when the variation has none. */
  readonly variationKey: string;
  readonly version: number;
  /** The graph the run is a node's of; `null` for any other. */
  readonly graphKey: string | null;
}

/** What a graph tracker's resumption token says: which run of which graph. */
export interface GraphTokenFields {
  readonly runId: string;
  readonly graphKey: string;
  /** Empty when the variation has none. */
  readonly variationKey: string;
  readonly version: number;
}

/** What a token was read to, or the one kind of error (`TOKEN_INVALID`) that says why it could not be. */
export type TokenResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: TrackerError };

const maxTokenLength = 8192;

/** The token of a config's run: `runId`, `configKey`, `variationKey` unless empty, `version`, `graphKey` if there is one. */
export function makeConfigToken(fields: ConfigTokenFields): string {
  const { runId, configKey, variationKey, version, graphKey } = fields;
  return writeToken({
    runId,
    configKey,
    ...(variationKey === '' ? {} : { variationKey }),
    version,
    ...(graphKey === null || graphKey === '' ? {} : { graphKey }),
  });
}

/** The token of a graph's run: `runId`, `graphKey`, `variationKey` unless empty, `version`. */
export function makeGraphToken(fields: GraphTokenFields): string {
  const { runId, graphKey, variationKey, version } = fields;
  return writeToken({ runId, graphKey, ...(variationKey === '' ? {} : { variationKey }), version });
}

/** Reads a config tracker's token. Throws `TOKEN_INVALID`; see `parseConfigToken` for what is taken. */
export function readConfigToken(token: string): ConfigTokenFields {
  return unwrap(parseConfigToken(token));
}

/** Reads a graph tracker's token. Throws `TOKEN_INVALID`; see `parseGraphToken` for what is taken. */
export function readGraphToken(token: string): GraphTokenFields {
  return unwrap(parseGraphToken(token));
}

/**
 * Reads a config tracker's token, of this package or of any SDK. Takes any order of keys, keys it does not know, blanks and
 * escapes in the JSON, padding, and both alphabets of base64. Requires `runId`, `configKey` and a whole `version`; takes at
 * most 8 KiB. Never throws.
 *
 * @example
 * parseConfigToken('eyJydW5JZCI6InIiLCJjb25maWdLZXkiOiJrIiwidmVyc2lvbiI6MH0');
 * // { ok: true, value: { runId: 'r', configKey: 'k', variationKey: '', version: 0, graphKey: null } }
 */
export function parseConfigToken(token: unknown): TokenResult<ConfigTokenFields> {
  return attempt('config', () => {
    const fields = readFields(token);
    return {
      runId: requireText(fields, 'runId'),
      configKey: requireText(fields, 'configKey'),
      variationKey: readText(fields, 'variationKey') ?? '',
      version: requireVersion(fields),
      graphKey: readText(fields, 'graphKey'),
    };
  });
}

/** Reads a graph tracker's token as `parseConfigToken` does a config tracker's, which it refuses. Never throws. */
export function parseGraphToken(token: unknown): TokenResult<GraphTokenFields> {
  return attempt('graph', () => {
    const fields = readFields(token);
    // A node's token names its graph as well: only its configKey tells that the run is not the graph's.
    if (readText(fields, 'configKey') !== null) throw new Problem('it names a configKey, so it is a config tracker’s');
    return {
      runId: requireText(fields, 'runId'),
      graphKey: requireText(fields, 'graphKey'),
      variationKey: readText(fields, 'variationKey') ?? '',
      version: requireVersion(fields),
    };
  });
}

/** Why a token cannot be read; ends "Could not read …: ". */
class Problem extends Error {}

function writeToken(fields: object): string {
  return Buffer.from(JSON.stringify(fields), 'utf8').toString('base64url');
}

function unwrap<T>(result: TokenResult<T>): T {
  if (result.ok) return result.value;
  throw result.error;
}

function attempt<T>(kind: 'config' | 'graph', read: () => T): TokenResult<T> {
  try {
    return { ok: true, value: Object.freeze(read()) };
  } catch (cause) {
    const reason = cause instanceof Problem ? cause.message : 'it is not valid';
    // Not the token itself: who reads it in a log could add to the run.
    const error = new TrackerError(
      'TOKEN_INVALID',
      `Could not read the resumption token of a ${kind} tracker: ${reason}.`,
      {
        hint: 'Give the resumptionToken of a tracker or of its summary, whole.',
      },
    );
    return { ok: false, error };
  }
}

function readFields(token: unknown): Readonly<Record<string, unknown>> {
  if (typeof token !== 'string') throw new Problem('it is not text');
  if (token === '') throw new Problem('it is empty');
  if (token.length > maxTokenLength) throw new Problem(`it is longer than ${maxTokenLength} characters`);
  const digits = token.replace(/={1,2}$/, '');
  // Four digits are three bytes; one digit alone is not even one.
  if (!/^[A-Za-z0-9+/_-]+$/.test(digits) || digits.length % 4 === 1) throw new Problem('it is not base64');
  const fields = readJson(Buffer.from(digits, 'base64'));
  if (!isObject(fields)) throw new Problem('it holds no JSON object');
  return fields as Readonly<Record<string, unknown>>;
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // Neither error says more to who gave the token, and the second would quote it.
    throw new Problem('it holds no JSON in UTF-8');
  }
}

/** Absent, null and empty are one: such a field is left out when a token is made. */
function readText(fields: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : null;
  if (value === null || value === '') return null;
  if (typeof value !== 'string') throw new Problem(`its ${name} is not text`);
  return value;
}

function requireText(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = readText(fields, name);
  if (value === null || value.trim() === '') throw new Problem(`it has no ${name}`);
  return value;
}

function requireVersion(fields: Readonly<Record<string, unknown>>): number {
  const value = Object.hasOwn(fields, 'version') ? fields.version : null;
  if (value === null) throw new Problem('it has no version');
  if (!Number.isSafeInteger(value)) throw new Problem('its version is not a whole number');
  return value as number;
}

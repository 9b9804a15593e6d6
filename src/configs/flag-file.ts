import { readFile, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { findSystemCode, readErrorMessage, TrackerError } from '../core/errors.js';
import type { FlagSource } from '../core/flags.js';
import { checkNames, checkShapes, isObject, isText, requireObject } from '../core/option-checks.js';
import { copyPlainData } from '../core/plain-copy.js';
import { readYaml } from './read-yaml.js';

export interface FlagFileOptions {
  /** The file; when absent, the one of `llmtap.config.yaml`, `.yml` and `.json` that stands in `folder`. */
  readonly path?: string | undefined;
  /** Where it is looked for: the current folder when absent. */
  readonly folder?: string | undefined;
}

/** The flags of a file. */
export interface FlagFile extends FlagSource {
  /** Absolute. */
  readonly path: string;
  /** In the file's order. */
  readonly flagKeys: readonly string[];
}

const usualNames = ['llmtap.config.yaml', 'llmtap.config.yml', 'llmtap.config.json'] as const;
/** Room for graphs of some ten thousand agents with their instructions. */
const mostBytes = 16 * 1024 * 1024;
const hint =
  'Write it as YAML or JSON: { flagValues: { "my-config": { _ldMeta: { enabled: true }, model: { name: … } } } }.';

/**
 * Reads a file of flags: `flagValues`, each by its key, the same for every context. That part is as in the files that
 * LaunchDarkly's SDKs read in place of a connection (js-core packages/shared/sdk-server, FileDataInitializer, read
 * 2026-11-27). Read once: a change of the file needs another call. Rejects with `FLAGS_INVALID`, saying what is wrong, and
 * `OPTION_INVALID`.
 *
 * @example
 * const flags = await readFlagFile({ path: 'flags.yaml' });
 * const client = new ConfigClient({ flags });
 */
export async function readFlagFile(options: FlagFileOptions = {}): Promise<FlagFile> {
  const given = requireObject(options, 'readFlagFile');
  checkNames(given, ['path', 'folder'], 'readFlagFile');
  const text = { wanted: 'a path', isRight: isText };
  checkShapes(given, { path: text, folder: text });
  const path = resolve(options.path ?? (await requireFile(options.folder ?? '.')));
  const refuse: Refuse = (found, cause) =>
    new TrackerError('FLAGS_INVALID', `Could not use the file of flags "${path}": ${found}.`, { hint, cause });
  const parsed = await readData(path, refuse);
  if (!isObject(parsed)) throw refuse('it holds no object');
  const { flagValues, ...others } = parsed as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`there is no "${unknown.slice(0, 60)}" in it: it has "flagValues" alone`);
  if (!isObject(flagValues)) throw refuse('it has no "flagValues" that is an object');
  const flags = new Map(Object.entries(copyPlainData(flagValues as Readonly<Record<string, unknown>>, true)));
  return Object.freeze({
    path,
    flagKeys: Object.freeze([...flags.keys()]),
    variation: (flagKey: string, _: object, fallback: unknown) => (flags.has(flagKey) ? flags.get(flagKey) : fallback),
  });
}

type Refuse = (found: string, cause?: unknown) => TrackerError;

async function requireFile(folder: string): Promise<string> {
  const path = await findFlagFile(folder);
  if (path !== undefined) return path;
  throw makeLost(folder, `none of ${usualNames.join(', ')} is there`, hint);
}

/** The file of flags that stands in a folder under one of the usual names. Rejects with `FLAGS_INVALID` for two of them. */
export async function findFlagFile(folder: string): Promise<string | undefined> {
  const paths = usualNames.map((name) => join(folder, name));
  const there = await Promise.all(paths.map(async (path) => await isThere(path)));
  const found = paths.filter((_, i) => there[i] === true);
  if (found.length < 2) return found[0];
  throw makeLost(
    folder,
    `both ${found.join(' and ')} are there`,
    'Remove one, or give the path of the one that counts.',
  );
}

function makeLost(folder: string, what: string, remedy: string): TrackerError {
  const message = `Could not find the file of flags in "${resolve(folder)}": ${what}.`;
  return new TrackerError('FLAGS_INVALID', message, { hint: remedy });
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    // One that cannot be looked at is there: reading it says why not.
    (error: unknown) => findSystemCode(error) !== 'ENOENT',
  );
}

async function readData(path: string, refuse: Refuse): Promise<unknown> {
  const kind = extname(path).toLowerCase();
  if (!['.yaml', '.yml', '.json'].includes(kind)) throw refuse('its name ends in none of .yaml, .yml and .json');
  const text = (await readText(path, refuse)).replace(/^\uFEFF/, '');
  try {
    return kind === '.json' ? JSON.parse(text) : await readYaml(text);
  } catch (error) {
    const what = kind === '.json' ? 'JSON' : `YAML (${readErrorMessage(error)})`;
    throw refuse(`it is no ${what}`, kind === '.json' ? undefined : error);
  }
}

async function readText(path: string, refuse: Refuse): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw refuse('it is no file');
    if (found.size > mostBytes) throw refuse(`it is larger than ${mostBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof TrackerError) throw error;
    throw refuse(readErrorMessage(error), error);
  }
}

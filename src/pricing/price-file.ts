import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readErrorMessage, TrackerError } from '../core/errors.js';

/** US dollars; what is absent has no price, but for the cache, which then costs what input does. */
export interface FilePrices {
  readonly inputPerMillion?: number;
  readonly outputPerMillion?: number;
  readonly cacheReadPerMillion?: number;
  /** Of writes whose lifetime is not stated, too. */
  readonly cacheWrite5mPerMillion?: number;
  /** As those of five minutes, when absent. */
  readonly cacheWrite1hPerMillion?: number;
  readonly perRequest?: number;
  readonly perWebSearch?: number;
  readonly perFileSearch?: number;
}

/** Prices of one model from a day on. */
export interface FileEntry extends FilePrices {
  /** `2026-11-01` or a full timestamp, UTC; since ever when absent. */
  readonly from?: string;
  /** Prices of other service tiers than the usual one: `{ "flex": { … } }`. */
  readonly tiers?: ReadonlyMap<string, FilePrices>;
}

/** A user's own prices, checked. */
export interface PriceFile {
  /** SHA-256 of the file, first twelve digits. */
  readonly version: string;
  /** By `model` and `provider/model`; entries in order of their day. */
  readonly models: ReadonlyMap<string, readonly FileEntry[]>;
}

/** Room for some thousand models. */
const mostBytes = 1024 * 1024;
const rates = [
  'inputPerMillion',
  'outputPerMillion',
  'cacheReadPerMillion',
  'cacheWrite5mPerMillion',
  'cacheWrite1hPerMillion',
  'perRequest',
  'perWebSearch',
  'perFileSearch',
] as const;
const hint =
  'Write it as JSON: { "models": { "my-model": { "inputPerMillion": 0.5, "outputPerMillion": 1.5 } } }, in US dollars.';

/** Reads and checks a file of prices. Throws `PRICES_INVALID`, saying which value is wrong. */
export function readPriceFile(path: string): PriceFile {
  const refuse: Refuse = (found, cause) =>
    new TrackerError('PRICES_INVALID', `Could not use the price file "${path}": ${found}.`, { hint, cause });
  const text = readText(path, refuse);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(`it is no JSON (${readErrorMessage(error)})`, error);
  }
  const { models } = readObject(parsed, { where: 'the file', known: ['models'], refuse });
  if (models === undefined) throw refuse('it has no "models"');
  const named = Object.entries(readObject(models, { where: '"models"', refuse }));
  const read = named.map(([name, value]) => [name, readEntries(name, value, refuse)] as const);
  return { version: createHash('sha256').update(text).digest('hex').slice(0, 12), models: new Map(read) };
}

type Refuse = (found: string, cause?: unknown) => TrackerError;

function readText(path: string, refuse: Refuse): string {
  try {
    const { size, isFile } = readStat(path);
    // A pipe or device would be waited for, before the program has started and without a word.
    if (!isFile) throw new Error('it is no regular file');
    if (size > mostBytes) throw new Error(`it has ${size} bytes, and ${mostBytes} are the most`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refuse(readErrorMessage(error), error);
  }
}

function readStat(path: string): { readonly size: number; readonly isFile: boolean } {
  const stat = statSync(path);
  return { size: stat.size, isFile: stat.isFile() };
}

function readEntries(name: string, value: unknown, refuse: Refuse): readonly FileEntry[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw refuse(`"${name}" has an empty list`);
  const entries = list.map((each) => readEntry(`"${name}"`, each, refuse));
  return entries.sort((a, b) => (readFrom(a) < readFrom(b) ? -1 : 1));
}

/** Milliseconds since 1970 from which an entry holds. */
export function readFrom({ from }: FileEntry): number {
  return from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
}

function readEntry(where: string, value: unknown, refuse: Refuse): FileEntry {
  const given = readObject(value, { where, known: [...rates, 'from', 'tiers'], refuse });
  const { from, tiers } = given;
  if (from !== undefined && !isDay(from)) throw refuse(`"from" of ${where} is no date such as "2026-11-01"`);
  const named = tiers === undefined ? {} : readObject(tiers, { where: `"tiers" of ${where}`, refuse });
  const read = Object.entries(named).map(([tier, prices]) => {
    const place = `the tier "${tier}" of ${where}`;
    const stated = readObject(prices, { where: place, known: rates, refuse });
    return [tier.toLowerCase(), readRates(place, stated, refuse)] as const;
  });
  return {
    ...readRates(where, given, refuse),
    ...(from === undefined ? {} : { from }),
    ...(tiers === undefined ? {} : { tiers: new Map(read) }),
  };
}

function readRates(where: string, given: Readonly<Record<string, unknown>>, refuse: Refuse): FilePrices {
  const read: Record<string, number> = {};
  for (const rate of rates) {
    const value = given[rate];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw refuse(`"${rate}" of ${where} is no number of at least 0`);
    }
    read[rate] = value;
  }
  if (Object.keys(read).length === 0) throw refuse(`${where} has no price`);
  return read;
}

interface Place {
  readonly where: string;
  /** What there may be; anything when absent. */
  readonly known?: readonly string[];
  readonly refuse: Refuse;
}

function readObject(value: unknown, { where, known, refuse }: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${where} is no object`);
  const foreign = known === undefined ? undefined : Object.keys(value).find((name) => !known.includes(name));
  if (foreign !== undefined) throw refuse(`${where} has "${foreign}", which there is not: ${known?.join(', ')}`);
  return value as Readonly<Record<string, unknown>>;
}

function isDay(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}($|T)/.test(value) && !Number.isNaN(Date.parse(value));
}

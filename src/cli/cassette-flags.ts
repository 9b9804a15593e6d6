import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CassetteMode, type CassetteUse, type NormaliseRules, requireNormaliseRules } from '../core/cassette.js';
import { makeCassetteFileName } from '../core/cassette-name.js';
import { readErrorMessage, TrackerError } from '../core/errors.js';

export interface CassetteFlags {
  readonly record?: string | undefined;
  readonly replay?: string | undefined;
  readonly replayOrLive?: string | undefined;
  readonly normalise?: string | undefined;
  readonly replaySpeed?: number | undefined;
}

/** Where recordings are, in the working folder. */
const folder = '.llmtap/cassettes';

/** The session's cassette by its flags. Rejects with `OPTION_INVALID` or `OPTION_CONFLICT`. */
export async function planCassette(flags: CassetteFlags): Promise<CassetteUse | undefined> {
  const given = (
    [
      ['record', flags.record],
      ['replay', flags.replay],
      ['replay-or-live', flags.replayOrLive],
    ] as const
  ).filter(([, name]) => name !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    if (flags.normalise === undefined) return undefined;
    throw new TrackerError('OPTION_CONFLICT', 'Could not use --normalise: nothing is recorded or replayed.', {
      hint: 'Give --record NAME or --replay NAME with it.',
    });
  }
  const [mode, name = '']: readonly [CassetteMode, string | undefined] = first;
  if (second !== undefined) {
    throw new TrackerError('OPTION_CONFLICT', `Could not use --${mode} and --${second[0]} together.`, {
      hint: 'Give one of them.',
    });
  }
  const normalise = flags.normalise === undefined ? undefined : await readRules(flags.normalise);
  const { replaySpeed } = flags;
  return {
    ...{ mode, path: resolve(folder, makeCassetteFileName(name)) },
    ...(normalise !== undefined && { normalise }),
    // NOTE: as none, not as Infinity, which no JSON holds: `llmtap env` hands the plan on as such.
    ...(replaySpeed !== undefined && replaySpeed !== Number.POSITIVE_INFINITY && { replaySpeed }),
  };
}

async function readRules(file: string): Promise<NormaliseRules> {
  let rules: unknown;
  try {
    rules = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new TrackerError('OPTION_INVALID', `Could not read --normalise ${file}: ${readErrorMessage(cause)}.`, {
      cause,
      hint: 'Write { "volatile": ["dates", "uuids", "temp-paths"], "rules": [{ "pattern": "…", "replace": "…" }] }.',
    });
  }
  return requireNormaliseRules(rules);
}

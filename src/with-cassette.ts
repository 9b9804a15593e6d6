import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type CassetteMode, cassetteModes, type NormaliseRules } from './core/cassette.js';
import { makeCassetteFileName } from './core/cassette-name.js';
import { readErrorMessage, TrackerError } from './core/errors.js';
import { makeInvalid } from './core/option-checks.js';
import type { TrackedSession } from './tracker/scope.js';
import type { TrackerOptions } from './tracker/tracker-options.js';
import { LLMTracker } from './tracker.js';

export interface WithCassetteOptions {
  /** Where recordings are; `cassettes` in the working folder when absent. */
  readonly folder?: string;
  /**
   * When absent what `LLMTAP_CASSETTE` says, or else `replay` where there is a recording or `CI` is set, and `record` where
   * there is none.
   */
  readonly mode?: CassetteMode;
  /** What changes from run to run, set aside before requests are compared; what the recording says when absent. */
  readonly normalise?: NormaliseRules;
  /** By which clock streams are played: 1 as recorded; at once when absent. */
  readonly replaySpeed?: number;
  /** The tracker's: model servers of your own, whose environment is respected, and so on. */
  readonly tracker?: Omit<TrackerOptions, 'cassette' | 'router'>;
}

/**
 * Runs a test's function with the model calls it makes, itself or by children, recorded the first time and answered from
 * the recording from then on, without the network and without keys. Gives what the function gives.
 *
 * Rejects with what the function rejects with; with `REPLAY_MISSED` when it asked what the recording does not have, also
 * where the function took the refusal for an answer; and with `CASSETTE_NOT_FOUND`, `CASSETTE_INVALID`,
 * `CASSETTE_UNWRITABLE`, `OPTION_INVALID`.
 *
 * @example
 * test('the agent greets', () =>
 *   withCassette('greets', async () => {
 *     expect(await agent.answer('Hi')).toContain('Hello');
 *   }));
 */
export async function withCassette<T>(
  name: string,
  work: (session: TrackedSession) => T,
  options: WithCassetteOptions = {},
): Promise<Awaited<T>> {
  const path = resolve(options.folder ?? 'cassettes', makeCassetteFileName(name));
  const mode = chooseMode(path, options.mode);
  const isNew = mode === 'record' && !existsSync(path);
  const { normalise, replaySpeed } = options;
  const cassette = {
    ...{ mode, path },
    ...(normalise !== undefined && { normalise }),
    ...(replaySpeed !== undefined && { replaySpeed }),
  };
  const home = options.tracker?.home ?? (await mkdtemp(join(tmpdir(), 'llmtap-cassette-')));
  const tracker = new LLMTracker({ ...options.tracker, home });
  const misses: string[] = [];
  tracker.onEvent((event) => {
    if (event.type === 'fault.occurred' && event.fault.code === 'REPLAY_MISSED') misses.push(event.fault.message);
  });
  try {
    await tracker.start();
    const [outcome] = await Promise.allSettled([tracker.track({ cassette }, work)]);
    await tracker.stop();
    if (mode === 'replay' && misses.length > 0) throw makeMissed(name, misses, outcome);
    if (outcome.status === 'rejected') {
      // Nothing came of it: what is left would fail every later run.
      if (isNew && (await isWithoutReplies(path))) await rm(path, { force: true });
      throw outcome.reason;
    }
    return outcome.value;
  } finally {
    await tracker.close();
    if (options.tracker?.home === undefined) await rm(home, { recursive: true, force: true });
  }
}

/** Whether no call of the recording had a reply: behind its first line stand only those whose provider was not reached. */
async function isWithoutReplies(path: string): Promise<boolean> {
  const file = createReadStream(path, { encoding: 'utf8' });
  try {
    let isFirst = true;
    for await (const line of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!isFirst && !isUnreached(line)) return false;
      isFirst = false;
    }
    return !isFirst;
  } catch {
    // There is none, or it cannot be told.
    return false;
  } finally {
    file.destroy();
  }
}

function isUnreached(line: string): boolean {
  const saved = JSON.parse(line) as { readonly reply?: { readonly ending?: unknown } };
  return saved.reply?.ending === 'unreached';
}

function chooseMode(path: string, given: string | undefined): CassetteMode {
  const asked = given ?? process.env.LLMTAP_CASSETTE;
  if (asked === undefined || asked === '') {
    const isCi = (process.env.CI ?? '') !== '' && process.env.CI !== 'false';
    return isCi || existsSync(path) ? 'replay' : 'record';
  }
  const mode = cassetteModes.find((candidate) => candidate === asked);
  if (mode !== undefined) return mode;
  throw makeInvalid(given === undefined ? 'LLMTAP_CASSETTE' : 'mode', asked, `one of ${cassetteModes.join(', ')}`);
}

function makeMissed(name: string, misses: readonly string[], outcome: PromiseSettledResult<unknown>): TrackerError {
  const [first = '', ...others] = misses;
  const more = others.length === 0 ? '' : ` So it is with ${others.length} more.`;
  const cause: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
  const then = cause === undefined ? '' : ` The function failed then: ${readErrorMessage(cause).slice(0, 200)}`;
  return new TrackerError('REPLAY_MISSED', `Could not replay "${name}": ${first}${more}${then}`, {
    cause,
    hint: `Record it again: delete the recording, or run with LLMTAP_CASSETTE=record.`,
  });
}

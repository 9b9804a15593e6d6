import { makeRunIds, type RunScope, type ScopeFacts, sumScopeTokens } from '../core/run-scope.js';
import type { ConfigTracker } from '../trackers/config-tracker.js';
import type { Runner, RunnerResult } from './runner.js';

export interface ScopedTurn {
  readonly tracker: ConfigTracker;
  readonly runner: Runner;
  readonly runScope: RunScope;
  readonly input: string;
  readonly outputType?: Readonly<Record<string, unknown>>;
}

/**
 * Takes one turn of a runner's in the scope of its run, and records what it came to: by what the runner says, and where it says
 * nothing of tokens by the calls made in the scope. The scope's own time does not count.
 * Throws what the runner throws; a scope that fails before the runner is asked is an error of the run.
 */
export async function takeTurn({ tracker, runner, runScope, input, outputType }: ScopedTurn): Promise<RunnerResult> {
  let began = false;
  const ask = async (facts?: ScopeFacts): Promise<RunnerResult> => {
    began = true;
    try {
      return await tracker.trackMetricsOf(
        (result) => result.metrics,
        async () => await runner.run(input, ...(outputType === undefined ? [] : [outputType])),
      );
    } finally {
      // What the runner did not say, the calls it made may.
      const tokens = tracker.getSummary().tokens === undefined ? await sumScopeTokens(facts) : null;
      if (tokens !== null) tracker.trackTokens(tokens);
    }
  };
  try {
    return await runScope(makeRunIds(tracker.getTrackData()), ask);
  } catch (error) {
    if (!began) tracker.trackError();
    throw error;
  }
}

import type { JudgeResult } from '../trackers/config-run.js';
import type { Judge } from './judge.js';

/** Judges what a config's runs give, by all of its judges at once. Its judges are loaded when it is first asked. */
export class Evaluator {
  readonly #load: () => Promise<readonly Judge[]>;
  #judges: Promise<readonly Judge[]> | null = null;

  constructor(load: () => Promise<readonly Judge[]>) {
    this.#load = load;
  }

  /**
   * What the judges say, in the config's order; empty when it has none. Sends the events of their own runs, not of the
   * judged one: its tracker's `trackJudgeResult` sends the scores. Never rejects, as long as loading them does not.
   */
  async evaluate(input: string, output: string): Promise<readonly JudgeResult[]> {
    this.#judges ??= this.#load();
    const judges = await this.#judges;
    return await Promise.all(judges.map(async (judge) => await judge.evaluate(input, output)));
  }
}

/** Of a config without judges. */
export const noEvaluator = new Evaluator(async () => await Promise.resolve([]));

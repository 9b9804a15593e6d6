import { readErrorMessage } from '../core/errors.js';
import { makeQuietLogger } from '../core/quiet-logger.js';
import type { RunLogger } from '../core/run-events.js';
import { noScope, type RunScope } from '../core/run-scope.js';
import type { ConfigRunSummary, JudgeResult } from '../trackers/config-run.js';
import type { ConfigTracker } from '../trackers/config-tracker.js';
import type { AgentConfig, CompletionConfig } from './config.js';
import type { Runner, RunnerResult } from './runner.js';
import { takeTurn } from './take-turn.js';

export interface ManagedOptions<C> {
  readonly config: C;
  readonly runner: Runner;
  readonly logger?: RunLogger | null | undefined;
  readonly runScope?: RunScope | null | undefined;
}

/** What one run gave, and what was recorded of it. */
export interface ManagedResult extends Omit<RunnerResult, 'metrics'> {
  /** As it was when the reply came, before any judge spoke. */
  readonly metrics: ConfigRunSummary;
  /** What the judges say; never rejects. The scores are sent as events of this run. */
  readonly evaluations: Promise<readonly JudgeResult[]>;
}

/** A config and what runs it: every run is recorded, and judged where the config says by whom. */
class ManagedRun<C extends CompletionConfig | AgentConfig> {
  readonly #options: ManagedOptions<C>;
  readonly #logger: RunLogger;

  constructor(options: ManagedOptions<C>) {
    this.#options = Object.freeze({ ...options });
    this.#logger = makeQuietLogger(options.logger);
  }

  getConfig(): C {
    return this.#options.config;
  }

  getRunner(): Runner {
    return this.#options.runner;
  }

  /**
   * Takes one turn, as a run of its own. Throws what the runner throws, after duration and error; then nobody judges. What a
   * runner reports as failed is given back, and judged.
   */
  async run(prompt: string): Promise<ManagedResult> {
    const { config, runner, runScope } = this.#options;
    const tracker = config.createTracker();
    const result = await takeTurn({ tracker, runner, runScope: runScope ?? noScope, input: prompt });
    const { metrics: _, ...reply } = result;
    const metrics = tracker.getSummary();
    return { ...reply, metrics, evaluations: this.#judge(tracker, prompt, result.content) };
  }

  async #judge(tracker: ConfigTracker, prompt: string, reply: string): Promise<readonly JudgeResult[]> {
    const { config } = this.#options;
    try {
      const results = await config.evaluator.evaluate(prompt, reply);
      for (const result of results) if (result.sampled && result.success) tracker.trackJudgeResult(result);
      return results;
    } catch (error) {
      this.#logger.warn(`A run of the config "${config.key}" was not judged: ${readErrorMessage(error)}`);
      return [];
    }
  }
}

/**
 * A model as its config says, and the runner that asks it.
 *
 * @example
 * const model = await client.createModel('support-bot', context);
 * const { content, metrics, evaluations } = await model.run('Hi');
 */
export class ManagedModel extends ManagedRun<CompletionConfig> {}

/** An agent as its config says, and the runner that lets it work. */
export class ManagedAgent extends ManagedRun<AgentConfig> {}

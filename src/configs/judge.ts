import { readErrorMessage } from '../core/errors.js';
import { makeQuietLogger } from '../core/quiet-logger.js';
import type { RunLogger } from '../core/run-events.js';
import { noScope, type RunScope } from '../core/run-scope.js';
import type { JudgeResult } from '../trackers/config-run.js';
import type { JudgeConfig } from './config.js';
import type { Message } from './config-flag.js';
import type { Runner, RunnerResult } from './runner.js';
import { takeTurn } from './take-turn.js';

export interface JudgeOptions {
  readonly config: JudgeConfig;
  readonly runner: Runner;
  /** How many of the runs it judges, from 0 to 1; all when absent, or no finite number. */
  readonly samplingRate?: number | undefined;
  readonly logger?: RunLogger | null | undefined;
  readonly runScope?: RunScope | null | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/** What a judge's runner is asked to give. Source: js-core packages/sdk/server-ai 2.0.1, read 2026-11-27. */
const scoreSchema = Object.freeze({
  type: 'object',
  properties: {
    score: { type: 'number', minimum: 0, maximum: 1, description: 'How well the response does, from 0 to 1.' },
    reasoning: { type: 'string', description: 'Why it got this score.' },
  },
  required: ['score', 'reasoning'],
  additionalProperties: false,
});

/**
 * Scores what another run gave, by a model. Its call is a run of the judge's own, with its own tracker and scope. The score is
 * returned; whoever has the judged run's tracker sends it.
 */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #logger: RunLogger;

  constructor(options: JudgeOptions) {
    this.#options = Object.freeze({ ...options });
    this.#logger = makeQuietLogger(options.logger);
  }

  getConfig(): JudgeConfig {
    return this.#options.config;
  }

  /**
   * Judges one reply. A rate given here, 0 included, beats that of the judge: it is not asked at 0 or below, and else as
   * often as the rate says. Never rejects; what fails is in the result, and in the log.
   */
  async evaluate(input: string, output: string, samplingRate?: number): Promise<JudgeResult> {
    const { config } = this.#options;
    const skipped = { success: false, sampled: false, judgeConfigKey: config.key };
    if (!this.#isSampled(samplingRate ?? this.#options.samplingRate)) return skipped;
    const failed = { ...skipped, sampled: true };
    const metricKey = config.evaluationMetricKey ?? '';
    if (metricKey.trim() === '') {
      this.#logger.warn(`The judge "${config.key}" was not asked: its config has no evaluationMetricKey.`);
      return { ...failed, errorMessage: 'The config of the judge has no evaluationMetricKey.' };
    }
    try {
      const result = await this.#ask(`MESSAGE HISTORY:\n${input}\n\nRESPONSE TO EVALUATE:\n${output}`);
      const verdict = readVerdict(result.parsed);
      if (verdict === null) {
        this.#logger.warn(`The judge "${config.key}" gave no score from 0 to 1.`);
        return failed;
      }
      return { ...failed, success: result.metrics.success === true, ...verdict, metricKey };
    } catch (error) {
      const errorMessage = readErrorMessage(error);
      this.#logger.error(`The judge "${config.key}" failed: ${errorMessage}`);
      return { ...failed, errorMessage };
    }
  }

  /** Judges the reply that ended a conversation, which is given as its messages. As `evaluate`. */
  async evaluateMessages(messages: readonly Message[], output: string, samplingRate?: number): Promise<JudgeResult> {
    const history = messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
    return await this.evaluate(history, output, samplingRate);
  }

  async #ask(input: string): Promise<RunnerResult> {
    const { config, runner, runScope } = this.#options;
    const tracker = config.createTracker();
    return await takeTurn({ tracker, runner, runScope: runScope ?? noScope, input, outputType: scoreSchema });
  }

  #isSampled(given: number | undefined): boolean {
    const rate = typeof given === 'number' && Number.isFinite(given) ? given : 1;
    return rate > 0 && (this.#options.random ?? Math.random)() <= rate;
  }
}

/** A score from 0 to 1, with the reasoning if there is one; `null` for anything else. */
function readVerdict(parsed: RunnerResult['parsed']): { readonly score: number; readonly reasoning?: string } | null {
  const { score, reasoning } = parsed ?? {};
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return null;
  return { score, ...(typeof reasoning === 'string' ? { reasoning } : {}) };
}

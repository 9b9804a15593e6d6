import type { RunMetrics } from '../trackers/run-metrics.js';
import type { AgentConfig, CompletionConfig, JudgeConfig } from './config.js';

/** What one run of a model or an agent gave. */
export interface RunnerResult {
  /** The text of the reply. */
  readonly content: string;
  readonly metrics: RunMetrics;
  /** The reply as the provider's package gave it. */
  readonly raw?: unknown;
  /** The reply as data, where an `outputType` was asked for and it is of that type. */
  readonly parsed?: Readonly<Record<string, unknown>> | undefined;
}

/** Asks a model, or an agent, by whatever package: the one thing of a config that is the user's to write. */
export interface Runner {
  /**
   * Takes one turn. `outputType` is the JSON Schema of the data that is wanted. A failure of the provider's is told by
   * `metrics.success`, or thrown: either is an error of the run.
   */
  run(input: string, outputType?: Readonly<Record<string, unknown>>): RunnerResult | PromiseLike<RunnerResult>;
}

/** What a runner is wanted for. */
export type RunnerUse =
  | { readonly kind: 'model'; readonly config: CompletionConfig; readonly defaultAiProvider: string | null }
  | { readonly kind: 'agent'; readonly config: AgentConfig; readonly defaultAiProvider: string | null }
  /** A judge's runner is asked once at a time: it keeps nothing of earlier turns. */
  | { readonly kind: 'judge'; readonly config: JudgeConfig; readonly defaultAiProvider: string | null };

/** Makes the runner of a config; nothing where the config's provider is none it knows. */
export type MakeRunner = (use: RunnerUse) => Runner | null | undefined | PromiseLike<Runner | null | undefined>;

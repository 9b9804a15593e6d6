/** `warning`: something is not seen, or not as it should be. `problem`: llmtap, or a program under it, does not work. */
export type Level = 'ok' | 'warning' | 'problem';

/** One thing looked at besides the programs. */
export interface Check {
  readonly name: string;
  readonly level: Level;
  /** One sentence. */
  readonly message: string;
  /** What to do, as a sentence. */
  readonly hint: string | null;
}

/**
 * What became of a canary:
 * - `seen`: its call is on record, found by the nonce in its body
 * - `relayed`: its requests come through, trusted; it is no program that calls models
 * - `direct`: it looked the provider up by itself instead of asking the session
 * - `silent`: it ended, or was ended at the deadline (`late`), and nothing came
 * - `refused`: it does not trust the session, so its calls fail
 * - `unread`: it was relayed without being read
 * - `unrecorded`: it reached the provider, or the tap, and no good record was left
 * - `untried`: it is there and was not started: an agent would use the user's account; for others, why is said
 * - `absent`: it is not there
 */
export type Verdict =
  | 'seen'
  | 'relayed'
  | 'direct'
  | 'silent'
  | 'late'
  | 'refused'
  | 'unread'
  | 'unrecorded'
  | 'untried'
  | 'absent';

export interface ProgramReport {
  /** What `--only` takes. */
  readonly name: string;
  /** The command found, or the one looked for. */
  readonly program: string;
  /** Which of its ways to make a call; `null` where there is but one. */
  readonly client: string | null;
  /** Absolute; `null` when there is none on the PATH. */
  readonly path: string | null;
  /** As it says itself; `null` when it does not. */
  readonly version: string | null;
  readonly verdict: Verdict;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
  /** `null` when it was not started. */
  readonly durationMs: number | null;
}

export interface AgentReport extends ProgramReport {
  /** A command line that shows what is seen of it, by the user's own account. */
  readonly trial: string;
}

/** The one document `llmtap doctor --json` prints. */
export interface DoctorReport {
  /** Of llmtap. */
  readonly version: string;
  /** The worst of all below. */
  readonly level: Level;
  readonly checks: readonly Check[];
  readonly runtimes: readonly ProgramReport[];
  readonly agents: readonly AgentReport[];
}

export function findWorst(levels: readonly Level[]): Level {
  if (levels.includes('problem')) return 'problem';
  return levels.includes('warning') ? 'warning' : 'ok';
}

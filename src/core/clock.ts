/** Time as the project reads it: durations from a monotonic clock, timestamps in UTC. */
export interface Clock {
  /** Milliseconds of a monotonic clock, fractions included; only differences mean anything. */
  readonly monotonicMs: () => number;
  /** Now, UTC, ISO 8601 with milliseconds. */
  readonly nowIso: () => string;
  /** Now, milliseconds since the epoch. */
  readonly nowMs: () => number;
}

export const systemClock: Clock = Object.freeze({
  monotonicMs: () => performance.now(),
  nowIso: () => new Date().toISOString(),
  nowMs: () => Date.now(),
});

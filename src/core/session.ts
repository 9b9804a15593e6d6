/** The ids a session stamps on every call made through it. Each is `null` when nobody gave it, but `runId`. */
export interface SessionIds {
  /** The execution these calls belong to: a UUIDv4 unless the user gave one. */
  readonly runId: string;
  readonly configKey: string | null;
  readonly variationKey: string | null;
  readonly version: number | null;
  readonly graphKey: string | null;
  readonly graphRunId: string | null;
  /** The item of the data set that the calls were made for. */
  readonly dataId: string | null;
  /** The combination of models that is being tried. */
  readonly comboId: string | null;
  readonly agentId: string | null;
}

/** Who is calling. */
export interface Session extends SessionIds {
  /** `sess_` and 12 hexadecimal digits. */
  readonly sessionId: string;
  /** UTC, ISO 8601. */
  readonly openedAt: string;
  /** The command line, secrets removed; `null` when the session is not a command's. */
  readonly command: readonly string[] | null;
}

/** Its ids as they are now: what the session says later is not theirs who copied them. */
export function pickSessionIds(session: Session): SessionIds {
  const { runId, configKey, variationKey, version, graphKey, graphRunId, dataId, comboId, agentId } = session;
  return { runId, configKey, variationKey, version, graphKey, graphRunId, dataId, comboId, agentId };
}

/**
 * How a run of a config ended, by its caller's word and its calls: `aborted` when it was interrupted, or its last call left
 * by the client; `empty` when it made no call and nobody said otherwise.
 */
export type RunOutcome = 'success' | 'error' | 'aborted' | 'empty';

/** What passed through a session besides the calls on record. */
export interface SessionCounts {
  /** Calls recorded. */
  readonly calls: number;
  /** Requests relayed that are no model call: model lists, token counting, telemetry. */
  readonly passedRequests: number;
  /** Connections relayed without decryption. */
  readonly tunnels: number;
  /** Bytes relayed through such tunnels, both directions. */
  readonly tunnelBytes: number;
  /** WebSocket upgrades relayed to providers. */
  readonly upgrades: number;
  /** Faults announced. */
  readonly faults: number;
}

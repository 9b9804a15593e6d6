import type { SessionIds } from '../core/session.js';
import { makeConfigToken, makeGraphToken } from './resumption-token.js';

/**
 * By which another process goes on with a session's run: that of its config, else that of its graph, which wants to know
 * the graph's run as well; `null` for a session of neither.
 */
export function makeSessionToken(ids: SessionIds): string | null {
  const { runId, configKey, graphKey, graphRunId } = ids;
  const variationKey = ids.variationKey ?? '';
  const version = ids.version ?? 1;
  if (configKey !== null) return makeConfigToken({ runId, configKey, variationKey, version, graphKey });
  if (graphKey === null || graphRunId === null) return null;
  return makeGraphToken({ runId: graphRunId, graphKey, variationKey, version });
}

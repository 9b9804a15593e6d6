import { findFlagFile, readFlagFile } from '../../configs/flag-file.js';
import { TrackerError } from '../../core/errors.js';
import { isObject } from '../../core/option-checks.js';
import { type GraphFlag, readGraphFlag } from '../../graph/graph-flag.js';

/**
 * A graph as a file of flags defines it: `config`, or the `llmtap.config.*` of the working folder, unless `config` is false.
 * `undefined` where there is none. Rejects with `FLAGS_INVALID`, also for a file that was named and does not have it.
 */
export async function readGraphDefinition(
  graphKey: string,
  config: string | boolean | undefined,
): Promise<GraphFlag | undefined> {
  if (config === false) return undefined;
  const path = typeof config === 'string' ? config : await findFlagFile('.');
  if (path === undefined) return undefined;
  const file = await readFlagFile({ path });
  const value = file.variation(graphKey, {}, undefined);
  const flag = isObject(value) ? readGraphFlag(value) : null;
  // One without a root is the flag of something else.
  if (flag !== null && flag.root !== '') return flag;
  if (typeof config !== 'string') return undefined;
  throw new TrackerError(
    'FLAGS_INVALID',
    `Could not use the graph "${graphKey}" of the file of flags "${file.path}": it has no such graph.`,
    { hint: 'Correct the key, or leave --config out.' },
  );
}

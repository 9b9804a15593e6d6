import { fileURLToPath } from 'node:url';

/**
 * Where the files stand that are run and not imported. The one place that asks where this code lies, for the CommonJS
 * form of these modules lies beside it and is told otherwise.
 */
export const ownFiles = Object.freeze({
  /** The program of the host's thread. */
  worker: new URL('./worker/entry.js', import.meta.url),
  /** What Node children are preloaded with. */
  nodeHook: fileURLToPath(new URL('./activation/node-hook.cjs', import.meta.url)),
  /** What says which version of the package this is. */
  manifest: new URL('../package.json', import.meta.url),
});

import { createRequire } from 'node:module';
import { patchDispatching } from './dispatch.js';
import { findBasePrototype, isBasePrototype } from './shapes.js';

const baseFile = /[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/])?dispatcher-base\.js$/;
/** Any file does: all of them share one cache. */
const { cache } = createRequire(process.execPath);
let scannedKeys = -1;

/** Finds the copies of undici this process has: Node's own, and every package loaded so far. */
export function patchKnownCopies(): void {
  patchBuiltIn();
  patchLoadedPackages();
}

/**
 * Node's own copy hides in its binary; its global dispatcher shows it. Another copy's may stand there: then that one
 * carries built-in `fetch` as well.
 */
function patchBuiltIn(): void {
  // Asked for any of its classes, Node loads its copy, which sets the dispatcher: 11 ms, once (measured, Node 20.20).
  void globalThis.Response;
  const dispatchers = globalThis as { readonly [key: symbol]: unknown };
  for (const version of ['1', '2']) patchCopyOf(dispatchers[Symbol.for(`undici.globalDispatcher.${version}`)]);
}

/** CommonJS modules imported from ES modules are in the same cache (measured, Node 20.20). */
export function patchLoadedPackages(): void {
  const paths = Object.keys(cache);
  if (paths.length === scannedKeys) return;
  scannedKeys = paths.length;
  for (const path of paths) {
    if (!baseFile.test(path)) continue;
    const exported = cache[path]?.exports as { readonly prototype?: unknown } | undefined;
    const base = exported?.prototype;
    if (typeof base === 'object' && base !== null && isBasePrototype(base)) patchDispatching(base);
  }
}

/** Forgets what was scanned, for another installation. */
export function forgetCopies(): void {
  scannedKeys = -1;
}

export function patchCopyOf(dispatcher: unknown): void {
  const base = findBasePrototype(dispatcher);
  if (base !== undefined) patchDispatching(base);
}

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Gives the child's stdout. */
export type Way = (script: string, options?: Readonly<Record<string, unknown>>) => Promise<string>;
export type Ways = Readonly<Record<string, Way>>;

interface Loader {
  importFresh(path: string): Promise<{ readonly ways: Ways }>;
  requireFresh(path: string): { readonly ways: Ways };
}

const loader = createRequire(import.meta.url)('./agents/load.cjs') as Loader;

export function findAgent(name: string): string {
  return fileURLToPath(new URL(`agents/${name}`, import.meta.url));
}

export const printEnv = findAgent('print-env.cjs');

export function requireWays(): Ways {
  return loader.requireFresh(findAgent('by-require.cjs')).ways;
}

export async function importWays(name: 'by-name.mjs' | 'by-namespace.mjs' | 'by-package.mjs'): Promise<Ways> {
  return (await loader.importFresh(findAgent(name))).ways;
}

/** The environment a child tells of itself. */
export async function readChildEnv(
  way: Way,
  options?: Readonly<Record<string, unknown>>,
): Promise<Record<string, string>> {
  return JSON.parse(await way(printEnv, options)) as Record<string, string>;
}

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** `src/ca` and what it imports as JavaScript, for worker threads and child processes, which vitest does not compile for. */
export interface CompiledSources {
  /** The folder's URL, ending in `/`: `new URL('ca/leaf-worker.js', sources.url)`. */
  readonly url: URL;
  remove(): void;
}

/** Compiles file by file, without checking types, into a folder of its own below `node_modules`. */
export function compileSources(): CompiledSources {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'llmtap-ca-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['core', 'ca']) {
    mkdirSync(join(folder, name));
    for (const file of readdirSync(join(root, 'src', name)))
      compileFile(join(root, 'src', name, file), join(folder, name, file));
  }
  return { url: pathToFileURL(`${folder}/`), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function compileFile(from: string, to: string): void {
  const { outputText } = ts.transpileModule(readFileSync(from, 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  writeFileSync(to.replace(/\.ts$/, '.js'), outputText);
}

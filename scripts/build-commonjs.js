// Makes the CommonJS form of what `import 'llmtap'` loads: node scripts/build-commonjs.js, after tsc.
//
// Every module reached from dist/index.js by static imports gets a .cjs beside its .js, and every declaration a .d.cts.
// What is imported dynamically (the host, the ledger) stays as it is: `import()` loads it from CommonJS, too. So both
// forms start the same host from the same files, and only the agent's side exists twice.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const source = fileURLToPath(new URL('../src', import.meta.url));
const dist = fileURLToPath(new URL('../dist', import.meta.url));

/** The relative modules a file imports and re-exports, but for what it imports dynamically. */
function listImports(path) {
  const parsed = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  return parsed.statements.flatMap((statement) => {
    const specifier = statement.moduleSpecifier;
    if (specifier === undefined || !specifier.text.startsWith('.')) return [];
    return [resolve(dirname(path), specifier.text)];
  });
}

function collect(start, toFile) {
  const found = new Set();
  const left = [start];
  while (left.length > 0) {
    const path = left.pop();
    if (found.has(path) || !path.endsWith('.js')) continue;
    found.add(path);
    left.push(...listImports(toFile(path)));
  }
  return [...found];
}

/** `./x.js` becomes `./x.cjs` wherever it is imported statically. */
function renameImports(text) {
  return text.replace(/(\bfrom |\brequire\()(['"])(\.[^'"\n]+)\.js\2/g, '$1$2$3.cjs$2');
}

const written = new Set();
function write(path, text) {
  writeFileSync(path, text);
  written.add(path);
}

const modules = collect(join(dist, 'index.js'), (path) => path);
for (const path of modules) {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
    // The name decides the form: .cts is CommonJS, in which `import()` stays what it is.
    fileName: path.replace(/\.js$/, '.cts'),
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, removeComments: false },
  });
  const located = outputText.replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename).href");
  if (/import\.meta/.test(located)) throw new Error(`${relative(dist, path)} uses import.meta for more than its URL`);
  write(path.replace(/\.js$/, '.cjs'), renameImports(located));
}

const toDeclaration = (path) => path.replace(/\.js$/, '.d.ts');
const declarations = collect(join(dist, 'index.js'), toDeclaration);
for (const path of declarations) {
  const text = renameImports(readFileSync(toDeclaration(path), 'utf8'));
  write(path.replace(/\.js$/, '.d.cts'), text.replaceAll(/import\("(\.[^"]+)\.js"\)/g, 'import("$1.cjs")'));
}

// A module that is no longer reached keeps no copy. What has a source of its own (.cts) is tsc's.
for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!/\.cjs$|\.d\.cts$/.test(path) || written.has(path)) continue;
  const own = join(source, relative(dist, path).replace(/\.cjs$|\.d\.cts$/, '.cts'));
  if (!existsSync(own)) rmSync(path);
}

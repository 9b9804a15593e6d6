// Makes dist/ fit for an incremental build: node scripts/clean-dist.js, before tsc.
//
// tsc never deletes what it made of a source that is gone, and all of dist/ is published. Nor does it make again what
// was deleted by hand: it believes its own notes, which are therefore thrown away when an output is missing.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src', import.meta.url));
const dist = fileURLToPath(new URL('../dist', import.meta.url));

/** Every file below a folder, relative to it. */
function listFiles(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

const sources = listFiles(source).filter((path) => /\.c?ts$/.test(path));
const outputs = sources.flatMap((path) => [path.replace(/ts$/, 'js'), path.replace(/(\.c?ts)$/, '.d$1')]);
// What build-commonjs.js adds beside a module; it removes those that are no longer wanted itself.
const copies = outputs.map((path) => path.replace(/\.(js|ts)$/, '.c$1'));
const known = new Set([...outputs, ...copies, '.tsbuildinfo']);

for (const path of listFiles(dist)) if (!known.has(path)) rmSync(join(dist, path));
if (outputs.some((path) => !existsSync(join(dist, path)))) rmSync(join(dist, '.tsbuildinfo'), { force: true });

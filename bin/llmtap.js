#!/usr/bin/env node
import { existsSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(program)) {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  writeSync(2, `llmtap: It is not built yet: run \`npm run build\` in ${folder}\n`);
  process.exit(2);
}
const { main } = await import(program.href);
// Everything was written by the time main returns, and whatever a library left open must not hold the terminal.
process.exit(await main(process.argv.slice(2)));

import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { defineConfig, type Plugin } from 'vitest/config';

/** Vite knows no `.cts`: what `tsc` makes of it, in a function of its own as Node would call it. */
const commonJs: Plugin = {
  name: 'commonjs-typescript',
  enforce: 'pre',
  load: (id) => {
    if (!id.endsWith('.cts')) return undefined;
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(readFileSync(id, 'utf8'), { compilerOptions, fileName: id });
    return [
      "import { createRequire } from 'node:module';",
      'const module = { exports: {} };',
      `(function (require, module, exports) {${outputText}\n})(createRequire(import.meta.url), module, module.exports);`,
      'export default module.exports;',
    ].join('\n');
  },
};

export default defineConfig({
  plugins: [commonJs],
  test: {
    include: ['test/**/*.test.ts'],
    // These install programs: `npm run test:clients`.
    exclude: ['test/clients/**'],
    pool: 'forks',
    // Files wait for children and sockets a third of their time; by itself vitest leaves one core of two idle.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

import { defineConfig, mergeConfig } from 'vitest/config';
import usual from '../../vitest.config.js';

/** The suite of real agents: `npm run test:clients`. One at a time, since each is a whole program with many threads. */
export default mergeConfig(
  { ...usual, test: { ...usual.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/clients/**/*.test.ts'],
      fileParallelism: false,
      testTimeout: 180_000,
      hookTimeout: 600_000,
    },
  }),
);

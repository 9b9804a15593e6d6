// Whole modules, asked when a child is started.
import * as childProcess from 'node:child_process';
import * as workerThreads from 'node:worker_threads';
import library from './ways.cjs';

const modules = [childProcess, workerThreads];

export const ways = library.makeWays(
  new Proxy({}, { get: (_target, name) => modules.find((module) => name in module)?.[name] }),
);

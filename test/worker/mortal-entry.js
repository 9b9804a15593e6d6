/**
 * The thread's entry, with a way to make it die, fail, stick or tell of itself. Written beside the compiled one by
 * `link-lab.ts`.
 */
import './entry.js';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';

const ways = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('planted');
  },
  reject: () => void Promise.reject(new Error('planted rejection')),
  warn: () => process.emitWarning('planted warning'),
  fill: () => {
    const kept = [];
    for (;;) kept.push(Array(10_000).fill({}));
  },
  stick: ({ ms }) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
  measure: () => {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    const resources = process.getActiveResourcesInfo().filter((name) => !/Timeout|Immediate/.test(name));
    parentPort.postMessage({ kind: 'measured', heap: process.memoryUsage().heapUsed, resources: resources.length });
  },
};

parentPort.on('message', (message) => {
  if (message.kind === 'test') ways[message.way](message);
});

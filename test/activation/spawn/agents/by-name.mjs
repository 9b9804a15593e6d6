// Named imports, which are live.
import { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import library from './ways.cjs';

export const ways = library.makeWays({
  get spawn() {
    return spawn;
  },
  get exec() {
    return exec;
  },
  get execFile() {
    return execFile;
  },
  get fork() {
    return fork;
  },
  get spawnSync() {
    return spawnSync;
  },
  get execSync() {
    return execSync;
  },
  get execFileSync() {
    return execFileSync;
  },
  get Worker() {
    return Worker;
  },
});

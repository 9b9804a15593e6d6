// Functions taken out of the modules when this file is loaded.
const { makeWays } = require('./ways.cjs');
const { spawn, exec, execFile, fork, spawnSync, execSync, execFileSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');

exports.ways = makeWays({ spawn, exec, execFile, fork, spawnSync, execSync, execFileSync, Worker });

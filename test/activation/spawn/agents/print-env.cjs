// Tells its environment, as a process or as a Worker.
const { parentPort } = require('node:worker_threads');

if (parentPort !== null) parentPort.postMessage({ ...process.env });
else process.stdout.write(JSON.stringify(process.env));

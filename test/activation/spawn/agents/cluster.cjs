// Starts itself as a worker of a cluster, which tells its environment.
const cluster = require('node:cluster');

if (cluster.isWorker) process.send({ ...process.env }, () => process.disconnect());

exports.readClusterEnv = () => {
  cluster.setupPrimary({ exec: __filename });
  const worker = cluster.fork();
  return new Promise((resolve, reject) => {
    let env;
    worker.once('error', reject);
    worker.once('message', (message) => {
      env = message;
    });
    worker.once('exit', () => resolve(env));
  });
};

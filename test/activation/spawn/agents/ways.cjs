// Every way of starting a child, over functions taken from Node in whatever way. Each gives the child's stdout, or the
// first message of a Worker.
const { promisify } = require('node:util');

const node = process.execPath;

function collect(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

function listen(worker) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message) => {
      worker.once('exit', () => resolve(typeof message === 'string' ? message : JSON.stringify(message)));
    });
  });
}

function fromCallback(start) {
  return new Promise((resolve, reject) => {
    start((error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

/** `options` are left out where there are none, as a caller would. */
exports.makeWays = (api) => {
  const line = (script) => `"${node}" "${script}"`;
  const given = (options) => (options === undefined ? [] : [options]);
  return {
    spawn: (script, options) => collect(api.spawn(node, [script], ...given(options))),
    exec: (script, options) => fromCallback((done) => api.exec(line(script), ...given(options), done)),
    execFile: (script, options) => fromCallback((done) => api.execFile(node, [script], ...given(options), done)),
    fork: (script, options) => collect(api.fork(script, [], { ...options, silent: true })),
    'promisified exec': async (script, options) => (await promisify(api.exec)(line(script), ...given(options))).stdout,
    'promisified execFile': async (script, options) =>
      (await promisify(api.execFile)(node, [script], ...given(options))).stdout,
    spawnSync: async (script, options) => String(api.spawnSync(node, [script], ...given(options)).stdout),
    execSync: async (script, options) => String(api.execSync(line(script), ...given(options))),
    execFileSync: async (script, options) => String(api.execFileSync(node, [script], ...given(options))),
    Worker: (script, options) => listen(new api.Worker(script, ...given(options))),
  };
};

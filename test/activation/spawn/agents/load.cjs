// Loads modules as Node does, past the test runner's own loader.
const { pathToFileURL } = require('node:url');

exports.importFresh = (path) => import(`${pathToFileURL(path).href}?${Math.random()}`);
exports.requireFresh = (path) => {
  delete require.cache[require.resolve(path)];
  return require(path);
};

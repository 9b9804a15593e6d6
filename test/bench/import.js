// A fresh program that imports the package, and tells how long that took.
const begin = performance.now();
await import('../../dist/index.js');
const importMs = performance.now() - begin;
process.on('message', ({ id }) => process.send?.({ id, answer: importMs }));
process.on('disconnect', () => process.exit(0));
process.send?.({ importMs });

/** The thread's entry, with a life that ends as soon as its host is open. */
import './entry.js';
import { parentPort } from 'node:worker_threads';

const postMessage = parentPort.postMessage.bind(parentPort);
parentPort.postMessage = (message) => {
  postMessage(message);
  if (message.kind === 'hello') process.exit(5);
};

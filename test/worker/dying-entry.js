/**
 * The thread's entry, ending as soon as it has said what `DIE_AFTER` names: the type of an event, or the number of a
 * request it answers. Once only: `DIE_ONCE` is the file by which the next one knows. Written beside the compiled entry.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import './entry.js';

const { DIE_AFTER, DIE_ONCE } = process.env;
const postMessage = parentPort.postMessage.bind(parentPort);
parentPort.postMessage = (message, transferred) => {
  postMessage(message, transferred);
  const said = message.kind === 'event' ? message.event.type : `${message.kind} ${message.id}`;
  if (said !== DIE_AFTER || existsSync(DIE_ONCE)) return;
  writeFileSync(DIE_ONCE, '');
  process.exit(5);
};

import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { findHome, requireHome } from '../ca/paths.js';
import type { Host } from '../core/host.js';
import { openHost } from '../host/host.js';
import { openTrackerQueries } from '../storage/tracker-queries.js';
import { carryFailure, type FromThread, type ThreadData, type ToThread } from './messages.js';
import { Outbox } from './outbox.js';
import { RouterLine } from './router-line.js';
import { ThreadRequests } from './thread-requests.js';

/**
 * The thread of a tracker's host: opens it, answers what is asked over the port, and tells what happens. A failure
 * nobody caught becomes a fault: the calls of others go through here.
 */
async function serve(data: ThreadData): Promise<void> {
  const home = data.host.home ?? findHome(data.host.env);
  requireHome(home);
  const routerLine = new RouterLine((id, question) => send({ kind: 'question', id, question }));
  const router = data.hasRouter ? { router: routerLine.ask } : {};
  const host = await openHost({ ...data.host, ...router, home, warm: 'later' });
  guard(host);
  const outbox = new Outbox(send);
  host.onEvent((event) => outbox.send({ kind: 'event', event }));
  const queries = openTrackerQueries({ home, trackerId: data.host.trackerId ?? '' });
  const requests = new ThreadRequests({ host, queries, send: outbox.send });
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'request') void requests.answer(message);
    else if (message.kind === 'answer') routerLine.answer(message.id, message.value);
    else if (message.kind === 'failure') routerLine.fail(message.id, message.message);
    else if (message.kind === 'events')
      host.track(message.events, () => outbox.send({ kind: 'taken', id: message.id }));
    else if (message.kind === 'fault') host.noteFault(message.fault);
    else if (message.kind === 'listener-error') host.noteListenerError(message.message);
    else if (message.kind === 'bundle') tellBundle(host, message);
    else if (message.kind === 'leave') void leave(host, message);
  });
  const { caPath, bundlePath, extraCaPath } = host;
  send({ kind: 'hello', facts: { home, caPath, caPem: readFileSync(caPath, 'utf8'), bundlePath, extraCaPath } });
  host.warm();
}

function send(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** Whoever asks sleeps until the signal: it is given whatever happens. */
function tellBundle(host: Host, { file, port, signal }: Extract<ToThread, { kind: 'bundle' }>): void {
  try {
    port.postMessage(host.bundleFor(file));
  } catch (error) {
    const { code, message, hint } = carryFailure(error);
    host.noteFault({ code: code ?? 'INTERNAL', message, hint, sessionId: null });
  } finally {
    wake(signal);
  }
}

/** Whoever leaves sleeps until the signal: it is given whatever happens. */
async function leave(host: Host, { exitCode, signal }: Extract<ToThread, { kind: 'leave' }>): Promise<void> {
  try {
    await host.leave({ exitCode });
  } finally {
    wake(signal);
  }
}

function wake(signal: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

function guard(host: Host): void {
  const report = (error: unknown) => {
    const { message } = carryFailure(error);
    const hint = 'The program went on; calls may be missing. Please report it.';
    host.noteFault({ code: 'INTERNAL', message: `Unexpected in the tap: ${message}`, hint, sessionId: null });
  };
  // Node prints warnings, and the terminal is the program's.
  process.removeAllListeners('warning');
  process.on('uncaughtException', report).on('unhandledRejection', report);
}

serve(workerData as ThreadData).catch((error: unknown) => {
  send({ kind: 'refused', failure: carryFailure(error) });
  parentPort?.close();
});

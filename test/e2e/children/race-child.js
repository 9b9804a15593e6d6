// States every fact of one run once, from so many threads at once: node race-child.js HOME RUN THREADS.
// Each opens the ledger, says "ready" on a line, and waits for a line on stdin.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ConfigTracker, openEventSink } from '../../../dist/index.js';

if (isMainThread) {
  const [home, runId, threads] = process.argv.slice(2);
  const workers = Array.from({ length: Number(threads) }, (_, at) => {
    return new Worker(new URL(import.meta.url), { workerData: { home, runId, at } });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  console.log('ready');
  await once(process.stdin, 'data');
  for (const worker of workers) worker.postMessage('go');
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  process.stdin.destroy();
} else {
  const { home, runId, at } = workerData;
  const sink = await openEventSink({ home });
  const context = { kind: 'user', key: 'u' };
  const tracker = new ConfigTracker({ sink, context, configKey: 'bot', runId, dedupe: 'run' });
  parentPort.postMessage('ready');
  await once(parentPort, 'message');
  tracker.trackDuration(at + 1);
  tracker.trackTokens({ total: at + 1, input: at + 1, output: at });
  if (at % 2 === 0) tracker.trackSuccess();
  else tracker.trackError();
  tracker.trackToolCall(`tool-${process.pid}-${at}`);
  await sink.close();
}

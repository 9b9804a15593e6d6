import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openWorkerLink } from '../../src/worker/worker-link.js';
import { isGone, makeHome, openLab, useSources } from './link-lab.js';

const sources = useSources();

/** Ends the thread as nothing in the link does; resolves when the link has noticed. */
async function kill(thread: Worker | undefined): Promise<void> {
  if (thread === undefined) throw new Error('there is no thread');
  const ended = once(thread, 'exit');
  void thread.terminate();
  await ended;
}

/** Calls back when the thread's host is open and the link has asked it to open the sessions again. */
function onRestoring(thread: Worker, begun: () => void): void {
  thread.on('message', ({ kind }: { readonly kind: string }) => {
    if (kind === 'hello') setImmediate(begun);
  });
}

describe('a thread that opens sessions again', () => {
  beforeAll(() => {
    copyFileSync(fileURLToPath(new URL('dying-entry.js', import.meta.url)), sources.url('worker/dying-entry.js'));
  });

  it('and dies with its last word about them is replaced once more, also while this thread is blocked', async () => {
    const home = makeHome();
    const threads: Worker[] = [];
    const onThread = (thread: Worker): void => {
      threads.push(thread);
      if (threads.length !== 2) return;
      // Its answer and its end are both there when this thread goes on.
      onRestoring(thread, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000));
    };
    const env = { DIE_AFTER: 'answer 2', DIE_ONCE: join(home, 'died') };
    const link = await openWorkerLink({ home, env, onThread }, sources.url('worker/dying-entry.js'));
    onTestFinished(async () => await link.close());
    const { session } = await link.openSession();
    await kill(threads[0]);
    await link.whenSettled();
    expect([link.state, ...threads.map(isGone)]).toEqual(['serving', true, true, false]);
    expect((await link.runs()).map(({ runId }) => runId)).toEqual([session.runId]);
  });

  it.each([
    ['as it starts', (thread: Worker, stick: () => void) => void thread.once('online', stick)],
    ['over them', onRestoring],
  ])('and is stuck %s is ended all the same when the link is closed', async (_, when) => {
    const lab = await openLab(sources);
    const { link, threads } = lab;
    for (let i = 0; i < 3; i++) await link.openSession();
    const restarted = new Promise<void>((resolve) => {
      threads.push = (thread) => {
        when(thread, () => {
          thread.postMessage({ kind: 'test', way: 'stick', ms: 60_000 });
          resolve();
        });
        threads[threads.length] = thread;
        return threads.length;
      };
    });
    await kill(threads[0]);
    await restarted;
    const settled = link.whenSettled();
    const beganMs = performance.now();
    await link.close();
    await settled;
    expect(performance.now() - beganMs).toBeLessThan(7000);
    expect([link.state, ...threads.map(isGone)]).toEqual(['closed', true, true]);
  });
});

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chat, openTrackerLab, type TrackerLab } from '../tracker/tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

it('a replay whose session cannot be opened again lets nothing out', async () => {
  const path = join(lab.folder, 'one.jsonl');
  const threads: { terminate(): Promise<number> }[] = [];
  const { Worker } = await import('node:worker_threads');
  const seen = Reflect.get(Worker.prototype, 'postMessage') as (...args: unknown[]) => void;
  Worker.prototype.postMessage = function (this: (typeof threads)[number], ...args: unknown[]) {
    threads.push(this);
    seen.apply(this, args);
  } as never;
  try {
    const recorder = lab.makeTracker();
    await recorder.start();
    await recorder.track({ cassette: { mode: 'record', path } }, async () => await chat('a'));
    await recorder.close();
    const tracker = lab.makeTracker();
    await tracker.start();
    const unrestored = new Promise<void>((resolve) => {
      tracker.onEvent((event) => {
        if (event.type === 'fault.occurred' && event.fault.message.includes('no such recording')) resolve();
      });
    });
    await tracker.track({ cassette: { mode: 'replay', path } }, async () => {
      expect(await chat('a')).toContain('chat.completion');
      rmSync(path);
      await threads.at(-1)?.terminate();
      await unrestored;
      // At the door that nobody serves any more, and not on the way to the provider.
      for (const text of ['a', 'b']) {
        const failure = await chat(text).catch((error: unknown) => error);
        expect(failure).toMatchObject({ cause: { code: 'ECONNREFUSED', address: '127.0.0.1' } });
      }
    });
    await tracker.close();
    expect(await lab.provider.requests()).toHaveLength(1);
  } finally {
    Worker.prototype.postMessage = seen as never;
  }
});

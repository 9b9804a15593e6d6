import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import undici from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrackedSession } from '../../dist/index.js';
import { chatUrl, makeChat, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
beforeAll(async () => {
  lab = await openTrackerLab();
});
afterAll(async () => await lab.close());

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it('scope after scope on one client of undici lets go of those that have ended', async () => {
  const tracker = await lab.makeTracker().start();
  const client = new undici.Client(new URL(chatUrl).origin);
  const ended: WeakRef<TrackedSession>[] = [];
  const call = async (): Promise<void> => {
    await tracker.track(async (session) => {
      ended.push(new WeakRef(session));
      const { body } = await client.request({ path: '/v1/chat/completions', method: 'POST', body: makeChat('x') });
      await body.text();
    });
  };
  for (let i = 0; i < 12; i++) await call();
  for (let i = 0; i < 20; i++) {
    await nextTurn();
    collect();
  }
  const left = ended.filter((session) => session.deref() !== undefined);
  // The last ones may still be on their way out.
  expect(left.length).toBeLessThan(6);
  await client.close();
  await tracker.stop();
});

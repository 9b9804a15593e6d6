import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Lab, openLab, useSources } from './link-lab.js';

const sources = useSources();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Measured {
  readonly heap: number;
  readonly resources: number;
}

/** Heap after a collection and what is open, on both sides. */
async function measure({ threads, tell }: Lab): Promise<{ readonly here: Measured; readonly there: Measured }> {
  const [thread] = threads;
  const there = await new Promise<Measured>((resolve) => {
    const onMessage = (message: Measured & { readonly kind: string }): void => {
      if (message.kind !== 'measured') return;
      thread?.off('message', onMessage);
      resolve(message);
    };
    thread?.on('message', onMessage);
    tell('measure');
  });
  collect();
  const resources = process.getActiveResourcesInfo().filter((name) => !/Timeout|Immediate/.test(name)).length;
  return { here: { heap: process.memoryUsage().heapUsed, resources }, there };
}

const MiB = 1024 * 1024;

describe('many sessions over a link', () => {
  it('opened and closed leave nothing behind, on either side', async () => {
    const lab = await openLab(sources);
    lab.events.push = () => 0;
    const openAndClose = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await (await lab.link.openSession()).close();
    };
    await openAndClose(500);
    const listeners = lab.threads[0]?.eventNames().map((name) => lab.threads[0]?.listenerCount(name));
    const before = await measure(lab);
    await openAndClose(2000);
    const after = await measure(lab);
    expect(after.here.resources).toBeLessThanOrEqual(before.here.resources);
    expect(after.there.resources).toBeLessThanOrEqual(before.there.resources);
    expect(after.here.heap - before.here.heap).toBeLessThan(MiB);
    expect(after.there.heap - before.there.heap).toBeLessThan(2 * MiB);
    expect(lab.threads[0]?.eventNames().map((name) => lab.threads[0]?.listenerCount(name))).toEqual(listeners);
    expect(lab.threads).toHaveLength(1);
  });

  it('and bundles leave no port behind', async () => {
    const lab = await openLab(sources);
    const before = await measure(lab);
    for (let i = 0; i < 50; i++) lab.link.bundleFor(`/nowhere/${i}.pem`);
    const after = await measure(lab);
    expect(after.here.resources).toBeLessThanOrEqual(before.here.resources);
    expect(after.there.resources).toBeLessThanOrEqual(before.there.resources);
  });
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Lab, openLab, useSources } from './link-lab.js';

const sources = useSources();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Measured {
  /** Bytes in use. */
  readonly heap: number;
  /** Of libuv: sockets, ports, timers, those that hold nothing open included. */
  readonly handles: number;
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
  const { libuv } = process.report.getReport() as { readonly libuv: readonly unknown[] };
  return { here: { heap: process.memoryUsage().heapUsed, handles: libuv.length }, there };
}

/** As soon as no more is open than before: what is under way (leaves made ahead) ends, and what leaked stays. */
async function measureSettled(lab: Lab, before: Awaited<ReturnType<typeof measure>>): ReturnType<typeof measure> {
  let now = await measure(lab);
  for (let left = 50; left > 0; left--) {
    if (now.here.handles <= before.here.handles && now.there.handles <= before.there.handles) break;
    now = await measure(lab);
  }
  return now;
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
    const after = await measureSettled(lab, before);
    expect(after.here.handles).toBeLessThanOrEqual(before.here.handles);
    expect(after.there.handles).toBeLessThanOrEqual(before.there.handles);
    expect(after.here.heap - before.here.heap).toBeLessThan(MiB);
    expect(after.there.heap - before.there.heap).toBeLessThan(2 * MiB);
    expect(lab.threads[0]?.eventNames().map((name) => lab.threads[0]?.listenerCount(name))).toEqual(listeners);
    expect(lab.threads).toHaveLength(1);
  });

  it('and bundles leave no port behind', async () => {
    const lab = await openLab(sources);
    // What the thread does of itself at its beginning is done.
    await lab.call(await lab.link.openSession());
    const before = await measure(lab);
    for (let i = 0; i < 50; i++) lab.link.bundleFor(`/nowhere/${i}.pem`);
    const after = await measureSettled(lab, before);
    expect(after.here.handles).toBeLessThanOrEqual(before.here.handles);
    expect(after.there.handles).toBeLessThanOrEqual(before.there.handles);
  });
});

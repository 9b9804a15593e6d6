import { describe, expect, it } from 'vitest';
import type { Fault, TrackerEvent } from '../../src/core/events.js';
import { type Exporter, ExportRefused } from '../../src/core/exporting.js';
import { ExportQueue, type ExportQueueOptions } from '../../src/exporters/export-queue.js';

const makeEvent = (message: string): TrackerEvent => ({
  type: 'fault.occurred',
  fault: { code: 'INTERNAL', message, hint: null, sessionId: null, at: '2026-11-27T00:00:00.000Z' },
});

/** An exporter that keeps what it gets, and a queue before it. */
function makeQueue(
  send: (items: readonly string[], attempt: number) => Promise<void> | void,
  options: Partial<ExportQueueOptions> = {},
) {
  const arrived: string[] = [];
  const faults: Pick<Fault, 'code' | 'message'>[] = [];
  let attempt = 0;
  let onSend = (): void => undefined;
  const exporter: Exporter<string> = {
    name: 'the test',
    prepare: (event) =>
      event.type === 'fault.occurred' ? { item: event.fault.message, bytes: event.fault.message.length } : null,
    send: async (items) => {
      attempt += 1;
      try {
        await send(items, attempt);
        arrived.push(...items);
      } finally {
        onSend();
      }
    },
    close: () => Promise.resolve(),
  };
  const queue = new ExportQueue({
    exporter: exporter as Exporter,
    onFault: (code, message) => void faults.push({ code, message }),
    ...{ gatherMs: 1, backOffMs: 1 },
    ...options,
  });
  const offer = (...messages: string[]): void => {
    for (const message of messages) queue.offer(makeEvent(message));
  };
  const sends = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (attempt >= count) setImmediate(resolve);
      };
      onSend = check;
      check();
    });
  return { queue, offer, arrived, faults, sends };
}

const number = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `${from + at}`);

describe('a queue before an exporter', () => {
  it('sends what it is offered in order, together where it comes together', async () => {
    const batches: number[] = [];
    const { queue, offer, arrived } = makeQueue((items) => void batches.push(items.length));
    offer(...number(3));
    await queue.close(1000);
    expect(arrived).toEqual(['0', '1', '2']);
    expect(batches).toEqual([3]);
  });

  it('sends what is large in batches that a collector takes, one alone however large it is', async () => {
    const batches: number[] = [];
    const { queue, offer, arrived } = makeQueue((items) => void batches.push(items.length));
    const megabyte = 'x'.repeat(1024 * 1024);
    offer(...Array.from({ length: 6 }, () => megabyte), megabyte.repeat(5), 'small', 'smaller');
    await queue.close(1000);
    expect(arrived).toHaveLength(9);
    expect(batches).toEqual([4, 2, 1, 2]);
  });

  it('loses none of 100,000 events while the exporter takes them', async () => {
    const { queue, offer, arrived } = makeQueue(() => undefined);
    for (let from = 0; from < 100_000; from += 5000) {
      offer(...number(5000, from));
      // Events come from sockets, turn by turn of the loop.
      while (queue.waiting > 4000) await new Promise((resolve) => setImmediate(resolve));
    }
    await queue.close(10_000);
    expect([arrived.length, queue.dropped]).toEqual([100_000, 0]);
    expect(arrived.at(-1)).toBe('99999');
  });

  it('holds no more than its bound of items while the exporter is down, drops the oldest and says how many', async () => {
    const { queue, offer, faults } = makeQueue(() => Promise.reject(new Error('down')), { mostItems: 100 });
    offer(...number(100_000));
    expect(queue.waiting).toBeLessThanOrEqual(100);
    await queue.close(1000);
    expect(queue.dropped).toBe(100_000);
    expect(faults).toEqual([
      { code: 'EXPORT_FAILED', message: 'Could not send events to the test: down.' },
      { code: 'EXPORT_DROPPED', message: '100000 events did not reach the test.' },
    ]);
  });

  it('holds no more than its bound of bytes', () => {
    const { queue, offer } = makeQueue(() => new Promise(() => undefined), { mostBytes: 1000 });
    offer(...Array.from({ length: 50 }, () => 'x'.repeat(100)));
    expect(queue.waiting).toBe(10);
    offer('y'.repeat(5000));
    expect(queue.waiting).toBe(0);
    expect(queue.dropped).toBe(51);
  });

  it('keeps the newest of what waits', async () => {
    const { queue, offer, arrived } = makeQueue(
      (_, attempt) => (attempt === 1 ? Promise.reject(new Error('no')) : undefined),
      {
        mostItems: 3,
        backOffMs: 5,
      },
    );
    offer(...number(5));
    await queue.close(1000);
    expect(queue.dropped).toBe(5);
    expect(arrived).toEqual([]);
    const later = makeQueue(() => undefined, { mostItems: 3 });
    later.offer(...number(5));
    await later.queue.close(1000);
    expect(later.arrived).toEqual(['2', '3', '4']);
  });

  it('sends again what failed, in order, and tells an outage once', async () => {
    const { queue, offer, arrived, faults, sends } = makeQueue((_, attempt) =>
      attempt <= 3 ? Promise.reject(new Error('down')) : undefined,
    );
    offer('a', 'b');
    await sends(4);
    offer('c');
    await queue.close(1000);
    expect(arrived).toEqual(['a', 'b', 'c']);
    expect(faults).toEqual([{ code: 'EXPORT_FAILED', message: 'Could not send events to the test: down.' }]);
  });

  it('waits longer after every further failure', async () => {
    const at: number[] = [];
    const { queue, offer, sends } = makeQueue(
      (_, attempt) => {
        at.push(performance.now());
        return attempt <= 4 ? Promise.reject(new Error('down')) : undefined;
      },
      { backOffMs: 10 },
    );
    offer('a');
    await sends(5);
    const gaps = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
    for (const [index, least] of [10, 20, 40, 80].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(least - 2);
    await queue.close(1000);
  });

  it('gives up what the exporter says will never be taken, and goes on with the next', async () => {
    const { queue, offer, arrived, faults, sends } = makeQueue((_, attempt) =>
      attempt <= 2 ? Promise.reject(new ExportRefused('it answered 400')) : undefined,
    );
    offer('a');
    await sends(1);
    offer('a');
    await sends(2);
    offer('b');
    await queue.close(1000);
    expect(arrived).toEqual(['b']);
    expect(faults.map(({ code }) => code)).toEqual(['EXPORT_FAILED', 'EXPORT_DROPPED']);
  });

  it('goes on after a failure whose items were then refused, though nothing waited at its next attempt', async () => {
    let onArrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => {
      onArrived = resolve;
    });
    const { queue, offer, arrived, sends } = makeQueue((_, attempt) => {
      if (attempt === 1) return Promise.reject(new Error('down'));
      if (attempt === 2) return Promise.reject(new ExportRefused('it answered 400'));
      return onArrived();
    });
    offer('a');
    await sends(2);
    // The attempt that follows the refusal finds nothing to send.
    await new Promise((resolve) => setTimeout(resolve, 20));
    offer('b');
    await arrival;
    await queue.close(1000);
    expect(arrived).toEqual(['b']);
  });

  it('does not wait for an exporter that never answers, beyond its deadline', async () => {
    const { queue, offer, faults } = makeQueue(() => new Promise(() => undefined));
    offer('a', 'b');
    await queue.close(20);
    expect(queue.dropped).toBe(2);
    expect(faults).toEqual([{ code: 'EXPORT_DROPPED', message: '2 events did not reach the test.' }]);
  });

  it('takes nothing once it is closed, and may be closed twice', async () => {
    const { queue, offer, arrived } = makeQueue(() => undefined);
    await queue.close(100);
    offer('late');
    await queue.close(100);
    expect(arrived).toEqual([]);
  });

  it('survives an exporter that throws while it prepares', async () => {
    const { queue, faults } = makeQueue(() => undefined);
    const hostile = {
      type: 'fault.occurred',
      get fault(): never {
        throw new Error('trap');
      },
    } as unknown as TrackerEvent;
    expect(() => queue.offer(hostile)).not.toThrow();
    await queue.close(100);
    expect(faults.map(({ code }) => code)).toEqual(['EXPORT_FAILED', 'EXPORT_DROPPED']);
  });
});

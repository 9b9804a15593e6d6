import { expect, it } from 'vitest';
import { FaultCollector } from '../../../src/cli/run/collect-faults.js';
import type { Fault } from '../../../src/core/events.js';

const makeFault = (message: string): Fault => ({
  code: 'TLS_REFUSED',
  message,
  hint: null,
  sessionId: null,
  at: '2026-11-21T06:00:00.000Z',
});

it('counts equal faults and keeps the order in which they first came', () => {
  const collector = new FaultCollector();
  for (const message of ['a', 'b', 'a']) collector.add(makeFault(message));
  expect(collector.list.map(({ fault, count }) => [fault.message, count])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});

it('keeps a hundred kinds and only counts what comes beyond', () => {
  const collector = new FaultCollector();
  for (let index = 0; index < 1000; index++) collector.add(makeFault(`fault ${index}`));
  expect(collector.list).toHaveLength(100);
  expect(collector.beyond).toBe(900);
});

/** K1 to K9 of the acceptance list (`agentopt-behaviours.test.ts` tells what that is): one budget on two levels. K9 is the docstring's example. */
import { expect, it } from 'vitest';
import { splitConcurrency } from '../../src/selection/split-concurrency.js';

it.each([
  { id: 'K1', maxConcurrent: 20, batch: 5, combinations: 4, dataPoints: 5 },
  { id: 'K2', maxConcurrent: 20, batch: 100, combinations: 1, dataPoints: 20 },
  { id: 'K3', maxConcurrent: 20, batch: 1, combinations: 20, dataPoints: 1 },
  { id: 'K4', maxConcurrent: 10, batch: 10, combinations: 1, dataPoints: 10 },
  { id: 'K5', maxConcurrent: 20, batch: 7, combinations: 2, dataPoints: 7 },
  { id: 'K6', maxConcurrent: 1, batch: 50, combinations: 1, dataPoints: 1 },
  { id: 'K7', maxConcurrent: 20, batch: 0, combinations: 20, dataPoints: 1 },
  { id: 'K9', maxConcurrent: 20, batch: 3, combinations: 6, dataPoints: 3 },
])(
  '$id runs $combinations combinations of $dataPoints data points at once, of $maxConcurrent runs and a batch of $batch',
  ({ maxConcurrent, batch, combinations, dataPoints }) => {
    expect(splitConcurrency(maxConcurrent, batch)).toEqual({ combinations, dataPoints });
  },
);

it('K8 never runs more at once than it may, nor less than one of each', () => {
  for (let maxConcurrent = -1; maxConcurrent <= 40; maxConcurrent++) {
    for (let batch = -1; batch <= 60; batch++) {
      const { dataPoints, combinations } = splitConcurrency(maxConcurrent, batch);
      const isWithin = dataPoints >= 1 && combinations >= 1 && dataPoints * combinations <= Math.max(maxConcurrent, 1);
      if (!isWithin) expect({ maxConcurrent, batch, dataPoints, combinations }).toBe('within the budget');
    }
  }
});

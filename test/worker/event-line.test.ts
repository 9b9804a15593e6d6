import { expect, it } from 'vitest';
import type { GivenEvent } from '../../src/core/run-events.js';
import { EventLine } from '../../src/worker/event-line.js';

const makeEvent = (chars: number): GivenEvent => ({
  ...{ eventId: 'e', name: 'n', value: 1, data: JSON.stringify('x'.repeat(chars)), context: '{}' },
  ...{ sessionId: null, source: 'caller', owner: null, atMs: 0 },
});

it('events that no thread takes are held up to a bound of characters, and the others counted', () => {
  const posted: { readonly id: number; readonly events: readonly GivenEvent[] }[] = [];
  const dropped: number[] = [];
  const line = new EventLine({
    post: (message) => void posted.push(message),
    onDropped: (count) => void dropped.push(count),
  });
  for (let at = 0; at < 100; at += 1) line.give(makeEvent(1024 * 1024));
  line.flush();
  expect(posted.flatMap(({ events }) => events)).toHaveLength(64);
  for (const { id } of posted) line.noteTaken(id);
  expect(dropped).toEqual([36]);
  line.give(makeEvent(1));
  expect(line.takeBack()).toHaveLength(1);
});

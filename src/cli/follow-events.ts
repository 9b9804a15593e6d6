import { toError } from '../core/errors.js';
import type { EventFilter, EventRow, LedgerReader } from '../core/ledger.js';

/** How often the ledger is asked: no process is told of what another one writes. */
const everyMs = 250;

/**
 * Hands over events as they are written, by whatever process, until SIGINT or SIGTERM: those that are there, and
 * those that have come by then.
 * Rejects as reading does, and as `onEvents` does.
 */
export async function followEvents(
  ledger: LedgerReader,
  filter: EventFilter,
  onEvents: (events: readonly EventRow[]) => void,
): Promise<void> {
  let { afterSeq = 0 } = filter;
  const poll = (): void => {
    for (const event of ledger.listEvents({ ...filter, afterSeq })) {
      onEvents([event]);
      afterSeq = event.seq;
    }
  };
  await new Promise<void>((resolve, reject) => {
    const end = (finish: () => void): void => {
      clearInterval(timer);
      for (const signal of signals) process.off(signal, stop);
      finish();
    };
    const attempt = (then: () => void): void => {
      try {
        poll();
        then();
      } catch (error) {
        end(() => reject(toError(error)));
      }
    };
    const stop = (): void => attempt(() => end(resolve));
    const timer = setInterval(() => attempt(() => undefined), everyMs);
    for (const signal of signals) process.on(signal, stop);
    // Whoever reads the first event may say at once that it is enough.
    attempt(() => undefined);
  });
}

const signals = ['SIGINT', 'SIGTERM'] as const;

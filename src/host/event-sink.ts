import { randomUUID } from 'node:crypto';
import { collectAmbientSecrets } from '../call/secrets.js';
import { systemClock } from '../core/clock.js';
import { readErrorMessage } from '../core/errors.js';
import type { EventListener, Fault } from '../core/events.js';
import type { LedgerSink, LedgerSinkOptions } from '../core/host.js';
import { TapSink } from '../core/tap-sink.js';
import { openLedgerWriter } from '../storage/ledger-writer.js';
import { Announcer } from './announcer.js';
import { EventDesk } from './event-desk.js';
import { openExporting } from './exporting.js';

/**
 * Opens the ledger of a home, and exporters, for events of runs alone: no proxy, no CA. Throws `EXPORTER_INVALID`; a ledger
 * that cannot be opened is a fault.
 */
export async function openEventSink(options: LedgerSinkOptions): Promise<LedgerSink> {
  const { home, env = {}, exporters = [] } = options;
  const openQueues = await openExporting({ home, env, exporters });
  const at = (): string => systemClock.nowIso();
  let isClosed = false;
  const saveFault = (fault: Fault): void => {
    if (!isClosed) ledger.saveFault(fault);
  };
  const exporting = openQueues((code, message, hint) => announcer.fault({ code, message, hint, sessionId: null }));
  const announcer = new Announcer({
    ...{ exporting, saveFault },
    onListenerError: (error) => {
      const message = `An event listener threw: ${readErrorMessage(error)}.`;
      saveFault({ code: 'LISTENER_FAILED', message, hint: null, sessionId: null, at: at() });
    },
  });
  const ledger = openLedgerWriter({ home, onFault: (fault) => announcer.fault({ ...fault, sessionId: null }) });
  const desk = new EventDesk({
    ...{ ledger, exporting, ambientSecrets: collectAmbientSecrets(env) },
    announce: (event) => announcer.announce(event),
    onFault: (code, message, hint) => announcer.fault({ code, message, hint, sessionId: null }),
  });
  const sink = makeSink(desk);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await desk.close();
    await exporting.close();
    isClosed = true;
    await ledger.close();
  };
  return {
    track: (...event) => sink.track(...event),
    trackOnce: (...event) => sink.trackOnce(...event),
    onEvent: (listener: EventListener) => announcer.onEvent(listener),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function makeSink(desk: EventDesk): TapSink {
  const prefix = randomUUID();
  let count = 0;
  return new TapSink({
    give: (event) => desk.give([event]),
    newEventId: () => `${prefix}-${count++}`,
    nowMs: () => systemClock.nowMs(),
    sessionId: null,
  });
}

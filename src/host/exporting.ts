import type { ErrorCode } from '../core/errors.js';
import type { TrackerEvent } from '../core/events.js';
import type { Exporter } from '../core/exporting.js';
import type { HostOptions } from '../core/host.js';

type OnFault = (code: ErrorCode, message: string, hint: string | null) => void;

/** How long the end of a host waits for what is still to be sent. */
const closingMs = 3000;

/** Everything that events are sent to, each behind a queue of its own; costs nothing where there is none. */
export interface Exporting {
  offer(event: TrackerEvent): void;
  /** Resolves when every exporter that sends at all has room for more; `null` when all have now. */
  whenRoomy(): Promise<void> | null;
  close(): Promise<void>;
}

/** What is wrong with a plan is said now; what fails later is a fault. Throws `EXPORTER_INVALID`. */
export async function openExporting({ exporters, env }: HostOptions): Promise<(onFault: OnFault) => Exporting> {
  if (exporters === undefined || exporters.length === 0) return () => none;
  const [{ openExporters }, { ExportQueue }] = await Promise.all([
    import('../exporters/open-exporters.js'),
    import('../exporters/export-queue.js'),
  ]);
  const opened: Exporter[] = [];
  try {
    for (const plan of exporters) opened.push(...(await openExporters(plan, env)));
  } catch (error) {
    await Promise.allSettled(opened.map((exporter) => exporter.close()));
    throw error;
  }
  return (onFault) => {
    const queues = opened.map((exporter) => new ExportQueue({ exporter, onFault }));
    return {
      offer: (event) => {
        if (isAboutExporting(event)) return;
        for (const queue of queues) queue.offer(event);
      },
      whenRoomy: () => {
        const crowded = queues.filter((queue) => queue.isCrowded);
        return crowded.length === 0
          ? null
          : Promise.all(crowded.map((queue) => queue.whenRoomy())).then(() => undefined);
      },
      close: async () => void (await Promise.all(queues.map((queue) => queue.close(closingMs)))),
    };
  };
}

/** What cannot be sent would have to be told, and that be sent: such faults are kept in the ledger, and told to listeners. */
function isAboutExporting(event: TrackerEvent): boolean {
  return event.type === 'fault.occurred' && event.fault.code.startsWith('EXPORT_');
}

const none: Exporting = { offer: () => undefined, whenRoomy: () => null, close: () => Promise.resolve() };

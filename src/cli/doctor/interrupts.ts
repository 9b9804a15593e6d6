import os from 'node:os';

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Signals turned into an abort, so that what was started is ended and what was made is removed before llmtap ends. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as a shell has it; `null` when none came. */
  status(): number | null;
  /** From then on signals mean the process again. */
  stop(): void;
}

export function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  let status: number | null = null;
  const listeners = signals.map((signal) => {
    const listener = () => {
      status ??= 128 + os.constants.signals[signal];
      controller.abort();
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    signal: controller.signal,
    status: () => status,
    stop: () => {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

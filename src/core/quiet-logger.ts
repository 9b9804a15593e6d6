import type { RunLogger } from './run-events.js';

/** A logger that never throws nor rejects, whatever the one behind it does; silent without one. */
export function makeQuietLogger(logger: RunLogger | null | undefined): RunLogger {
  const log = (level: keyof RunLogger) => (message: string) => {
    // Where a logger fails there is nobody left to tell.
    if (logger !== null && logger !== undefined)
      isolate(
        () => logger[level](message),
        () => undefined,
      );
  };
  return Object.freeze({ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') });
}

/** Does what may throw, or reject later, which nobody else would hear of but the process. */
export function isolate(act: () => unknown, onFailure: (error: unknown) => void): void {
  try {
    const result = act();
    if (result instanceof Promise) result.catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}

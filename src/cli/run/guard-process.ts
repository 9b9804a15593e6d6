import { readErrorMessage } from '../../core/errors.js';
import type { Fault } from '../../core/events.js';

/**
 * Keeps the process alive through errors nobody caught: the child's calls go through it. They become faults. Warnings
 * of Node's are silenced, for the terminal is the child's. Returns the function that ends it.
 */
export function guardProcess(onFault: (fault: Fault) => void): () => void {
  const report = (error: unknown) => {
    onFault({
      code: 'INTERNAL',
      message: `Unexpected in llmtap: ${readErrorMessage(error)}`,
      sessionId: null,
      hint: 'The program went on; calls may be missing. Please report it.',
      at: new Date().toISOString(),
    });
  };
  const printers = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('uncaughtException', report).on('unhandledRejection', report);
  return () => {
    process.off('uncaughtException', report).off('unhandledRejection', report);
    for (const printer of printers) process.on('warning', printer);
  };
}

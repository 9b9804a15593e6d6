import { readErrorMessage, TrackerError } from '../core/errors.js';
import type { Fault } from '../core/events.js';

/** How many of the sessions that were open are open again. */
export interface Restored {
  readonly open: number;
  readonly all: number;
}

export function makeRestartedFault(reason: string, { open, all }: Restored): Omit<Fault, 'at'> {
  const sessions = all === 1 ? 'session' : 'sessions';
  return {
    code: 'HOST_RESTARTED',
    message: `The tap's thread died (${reason}) and was started again, with ${open} of ${all} open ${sessions}.`,
    hint: 'Calls that were under way were cut; what was recorded before is there. Please report it.',
    sessionId: null,
  };
}

/** @param isSealed whether its calls may reach no provider */
export function makeUnrestoredFault(
  sessionId: string,
  { code, message }: TrackerError,
  isSealed: boolean,
): Omit<Fault, 'at'> {
  const then = isSealed
    ? 'Its calls fail, for none may go out'
    : 'Its calls go on as without the tap, and are not recorded';
  return {
    code,
    message: `Session ${sessionId} could not be opened again after the tap's thread had died: ${message}`,
    hint: `${then}; children it has started cannot reach their provider.`,
    sessionId,
  };
}

export function makeLostFault(reason: string): Omit<Fault, 'at'> {
  return {
    code: 'HOST_LOST',
    message: `The tap's thread died again and again and is given up: ${reason}.`,
    hint: 'Calls go on as without the tap, and are not recorded. Please report it.',
    sessionId: null,
  };
}

export function makeClosed(): TrackerError {
  return new TrackerError('HOST_CLOSED', 'Could not ask the tap: it is closed.', { hint: 'Open another one.' });
}

export function makeLost(): TrackerError {
  return new TrackerError('HOST_LOST', 'Could not ask the tap: its thread died too often and was given up.', {
    hint: 'Make another tracker; what was recorded is in the ledger.',
  });
}

/** For arguments that no thread can be given. */
export function makeUnsendable(error: unknown): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not ask the tap: ${readErrorMessage(error)}`, {
    cause: error,
    hint: 'Give plain data, without functions.',
  });
}

export function makeDroppedFault(count: number): Omit<Fault, 'at'> {
  return {
    code: 'EVENTS_DROPPED',
    message: `${count} event${count === 1 ? '' : 's'} of runs came faster than the tap could take them, and ${count === 1 ? 'is' : 'are'} lost.`,
    hint: 'Track fewer events at once.',
    sessionId: null,
  };
}

import type { TrackerEvent } from '../core/events.js';

/** The event without what was said in the call: bodies may hold what must not leave this machine. */
export function withoutContent(event: TrackerEvent): TrackerEvent {
  if (event.type !== 'call.completed') return event;
  return { ...event, record: { ...event.record, requestBody: null, responseBody: null } };
}

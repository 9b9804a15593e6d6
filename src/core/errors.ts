/** Every code a `TrackerError` or a `fault` event can carry. Each stands in the README. */
export type ErrorCode =
  | 'CA_UNREADABLE'
  | 'CA_UNWRITABLE'
  | 'CA_INVALID'
  | 'HOST_NAME_INVALID'
  | 'HOME_UNUSABLE'
  | 'OPTION_INVALID'
  | 'OPTION_CONFLICT'
  | 'PROVIDER_INVALID'
  | 'PROXY_UNSUPPORTED'
  | 'UPSTREAM_CA_UNREADABLE'
  | 'PRICES_INVALID'
  | 'FLAGS_INVALID'
  | 'EXPORTER_INVALID'
  | 'TOKEN_INVALID'
  | 'LISTEN_FAILED'
  | 'HOST_CLOSED'
  | 'HOST_RESTARTED'
  | 'HOST_LOST'
  | 'TRACKER_NOT_STARTED'
  | 'TRACKER_CLOSED'
  | 'SESSION_CLOSED'
  | 'CONTAINER_UNREACHABLE'
  | 'ROUTER_FAILED'
  | 'IN_PROCESS_UNSEEN'
  | 'STORE_UNOPENABLE'
  | 'STORE_NEWER'
  | 'STORE_LOCKED'
  | 'STORE_FULL'
  | 'STORE_FAILED'
  | 'CACHE_DAMAGED'
  | 'CASSETTE_NOT_FOUND'
  | 'CASSETTE_INVALID'
  | 'CASSETTE_UNWRITABLE'
  | 'CASSETTE_INCOMPLETE'
  | 'REPLAY_MISSED'
  | 'REPLAY_REFUSED'
  | 'CACHE_FILE_INVALID'
  | 'RECORD_NOT_FOUND'
  | 'RUN_NOT_FOUND'
  | 'COMMAND_NOT_FOUND'
  | 'COMMAND_NOT_EXECUTABLE'
  | 'TLS_REFUSED'
  | 'PROTOCOL_UNREAD'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TLS_UNVERIFIED'
  | 'UPSTREAM_PROXY_FAILED'
  | 'UPSTREAM_ABORTED'
  | 'UPSTREAM_LATE'
  | 'BUDGET_EXCEEDED'
  | 'BUDGET_UNCOUNTED'
  | 'CLIENT_ABORTED'
  | 'CLIENT_LAGGED'
  | 'HTTP_STATUS'
  | 'READER_FAILED'
  | 'LISTENER_FAILED'
  | 'EXPORT_FAILED'
  | 'EXPORT_DROPPED'
  | 'EVENTS_DROPPED'
  | 'EVENT_REFUSED'
  | 'INTERNAL';

export interface TrackerErrorOptions {
  readonly cause?: unknown;
  /** What to do about it, as a sentence. */
  readonly hint?: string;
}

/**
 * The one error class. Match on `code`: across processes and copies of the package `instanceof` fails.
 * The message says what was attempted, with what value, and what was found; the hint says what to do.
 */
export class TrackerError extends Error {
  override readonly name = 'TrackerError';
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: TrackerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
  }
}

/** The system's own code of an error (`ECONNREFUSED`), or `null`. */
export function findSystemCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** The text of anything thrown. */
export function readErrorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What was thrown, which may be anything. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

import type { Fault } from '../../core/events.js';
import type { BoundedEnd } from '../run/run-bounded.js';
import type { Canary } from './canaries.js';
import { absentStatus } from './canary-scripts.js';
import type { Level, Verdict } from './report.js';

/** What is known when a canary's session has been closed. */
export interface CanaryFacts {
  /** A record with the nonce in its request and the outcome `ok` is in the ledger. */
  readonly isRecorded: boolean;
  /** The provider got the nonce. */
  readonly hasArrived: boolean;
  /** Of the session, in the order they came. */
  readonly faults: readonly Fault[];
  readonly end: BoundedEnd;
  /** What keeps the canary's host direct by the user's own `NO_PROXY`; `null` when nothing does. */
  readonly hiddenBy: string | null;
  readonly deadlineMs: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
}

/**
 * How the resolvers of the runtimes say that a name leads nowhere, each seen: libcurl, glibc through Python, wget, Perl
 * and PHP, Node, Go, Java, Ruby.
 */
const lookupFailure =
  /ENOTFOUND|EAI_AGAIN|EAI_NONAME|getaddrinfo|could not resolve|unable to resolve|couldn't resolve|name or service not known|name resolution|no such host|nodename nor servname|UnknownHost|UnresolvedAddress|dns error|failed to lookup/i;

/** What became of a canary, what it means, and what to do. Nothing the program wrote is repeated: it may be a secret. */
export function judgeCanary(canary: Canary, facts: CanaryFacts): Judgement {
  const { end, faults, hasArrived, isRecorded } = facts;
  if (isRecorded) return { verdict: 'seen', level: 'ok', message: 'seen', fix: canary.seenNote ?? null };
  if (end.status === absentStatus) return judgeAbsent('not installed');
  if (hasArrived && canary.relayedOnly) {
    return { verdict: 'relayed', level: 'ok', message: 'its requests pass; it calls no models', fix: null };
  }
  const refused = faults.find(({ code }) => code === 'TLS_REFUSED');
  if (refused !== undefined) return judgeRefused(refused);
  const unread = faults.find(({ code }) => code === 'PROTOCOL_UNREAD');
  if (unread !== undefined) {
    return {
      verdict: 'unread',
      level: 'warning',
      message: 'relayed, not read: it speaks neither HTTP/1.1 nor HTTP/2 over TLS',
      fix: unread.hint,
    };
  }
  if (hasArrived) return judgeUnrecorded(faults.find(({ code }) => code !== 'OPTION_CONFLICT'));
  return judgeMissing(canary, facts);
}

export function judgeAbsent(message: string): Judgement {
  return { verdict: 'absent', level: 'ok', message, fix: null };
}

function judgeRefused(fault: Fault): Judgement {
  const message = 'its calls fail: it does not trust the session';
  return { verdict: 'refused', level: 'problem', message, fix: fault.hint };
}

function judgeUnrecorded(fault: Fault | undefined): Judgement {
  const fix = fault?.hint ?? fault?.message ?? 'This is a fault of llmtap: please report it.';
  return { verdict: 'unrecorded', level: 'problem', message: 'its call passed, but is not on record', fix };
}

/** Nothing came. */
function judgeMissing(canary: Canary, { end, hiddenBy, deadlineMs }: CanaryFacts): Judgement {
  const level = 'warning';
  const program = canary.commands[0] ?? canary.name;
  if (hiddenBy !== null) {
    const fix = `Take ${hiddenBy} out of NO_PROXY: it keeps every provider direct.`;
    return { verdict: 'direct', level, message: 'not seen: NO_PROXY keeps it direct', fix };
  }
  const isDirect = lookupFailure.test(end.tail);
  const fix =
    canary.directFix ??
    `Look for what clears or outranks HTTPS_PROXY: a wrapper called ${program} on the PATH, or its own settings file.`;
  if (isDirect) {
    return { verdict: 'direct', level, message: 'not seen: it goes direct', fix };
  }
  if (end.isLate) {
    const message = `unknown: no call came in ${deadlineMs / 1000} s, ended`;
    return { verdict: 'late', level, message, fix: `Find out why ${program} hangs, then run the doctor again.` };
  }
  return {
    verdict: 'silent',
    level,
    message: `unknown: ${describeEnd(end)}, and no call came`,
    fix: makeSilentFix(program),
  };
}

function describeEnd({ status, startError }: BoundedEnd): string {
  if (startError !== null) return 'it could not be started';
  return status === null ? 'a signal ended it' : `it ended with status ${status}`;
}

function makeSilentFix(program: string): string {
  return `See whether ${program} works at all without llmtap, and is the one you mean: which ${program}`;
}

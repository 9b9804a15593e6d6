import type { Fault } from '../../core/events.js';
import type { SessionCounts } from '../../core/session.js';
import { formatBytes, formatPlural } from './number.js';

export interface NothingCaptured {
  readonly counts: SessionCounts;
  readonly faults: readonly Fault[];
  /** Of the program. */
  readonly exitCode: number;
}

/**
 * Why a session has no call on record, and what to try: one paragraph each, the likeliest first. Told from what
 * passed through it besides calls; faults speak for themselves and are not repeated.
 */
export function explainNothingCaptured({ counts, faults, exitCode }: NothingCaptured): readonly string[] {
  const isUnread = faults.some((fault) => fault.code === 'PROTOCOL_UNREAD');
  const paragraphs: string[] = [];
  if (faults.some((fault) => fault.code === 'TLS_REFUSED')) {
    paragraphs.push('The program would not trust the certificate of the tap, so its calls failed: see above.');
  }
  const isMissed = faults.some(({ code }) => code === 'REPLAY_MISSED' || code === 'REPLAY_REFUSED');
  if (isMissed) paragraphs.push('What the program asked is not in the recording: see above.');
  if (isUnread) paragraphs.push('The program spoke to a provider in a way that is not read: see above.');
  if (counts.upgrades > 0) {
    paragraphs.push(
      `${formatPlural(counts.upgrades, 'WebSocket connection')} to a provider went through unread. If the program can do without WebSockets, make it.`,
    );
  }
  // Plain HTTP of a program comes as requests, whoever it is for.
  if (counts.passedRequests > 0 && !isMissed) {
    const what = counts.passedRequests === 1 ? 'that is no model call' : 'that are no model calls';
    paragraphs.push(
      `It sent ${formatPlural(counts.passedRequests, 'request')} ${what} (model lists, token counts, logins; plain HTTP).`,
    );
  }
  // Such connections are among the tunnels, and which of those they are is not counted.
  if (counts.tunnels > 0 && !isUnread) paragraphs.push(explainTunnels(counts));
  if (paragraphs.length > 0) return paragraphs;
  if (exitCode === 0) return whatToCheck;
  return [`The program ended with status ${exitCode}, and not one connection came through the tap.`];
}

function explainTunnels({ tunnels, tunnelBytes }: SessionCounts): string {
  const whose = tunnels === 1 ? "a host that is nobody's provider" : "hosts that are nobody's provider";
  const which = `${formatPlural(tunnels, 'connection')} to ${whose}`;
  if (tunnelBytes === 0) return `${which} carried nothing: the host could not be reached, or nothing was sent.`;
  const it = tunnels === 1 ? 'it serves' : 'one of them serves';
  return `${which} went through unread (${formatBytes(tunnelBytes)}). If ${it} models, name it: --provider\u00a0NAME=https://HOST`;
}

const whatToCheck: readonly string[] = [
  'Not one connection came through the tap. Things to check:',
  '- Does the program call a model at all with these arguments, and did it get that far?',
  '- Is the model on this machine? Loopback stays direct until it is named: --provider\u00a0ollama=http://localhost:11434',
  '- Does the work happen elsewhere: in a daemon started before, a container, over ssh, or under sudo (which clears the environment)?',
  '- Does it ignore HTTPS_PROXY? Java needs --with\u00a0java; other programs have a proxy setting of their own, and the session gives its address in HTTPS_PROXY.',
];

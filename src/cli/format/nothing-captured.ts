import type { Fault } from '../../core/events.js';
import type { SessionCounts } from '../../core/session.js';
import { formatBytes, formatPlural } from './number.js';

/**
 * Why a session has no call on record, and what to try: one paragraph each, the likeliest first. Told from what
 * passed through it besides calls; faults speak for themselves and are not repeated.
 */
export function explainNothingCaptured(counts: SessionCounts, faults: readonly Fault[]): readonly string[] {
  const paragraphs: string[] = [];
  if (faults.some((fault) => fault.code === 'TLS_REFUSED')) {
    paragraphs.push('The program would not trust the certificate of the tap, so its calls failed: see above.');
  }
  if (counts.upgrades > 0) {
    paragraphs.push(
      `${formatPlural(counts.upgrades, 'WebSocket connection')} to a provider went through unread. If the program can do without WebSockets, make it.`,
    );
  }
  if (counts.passedRequests > 0) {
    paragraphs.push(
      `It reached a provider with ${formatPlural(counts.passedRequests, 'request')} that are no model calls (model lists, token counts, logins).`,
    );
  }
  if (counts.tunnels > 0) {
    paragraphs.push(
      `${formatPlural(counts.tunnels, 'connection')} to hosts that are nobody's provider went through unread (${formatBytes(counts.tunnelBytes)}). If one of them serves models, name it: --provider\u00a0NAME=https://HOST`,
    );
  }
  return paragraphs.length > 0 ? paragraphs : whatToCheck;
}

const whatToCheck: readonly string[] = [
  'Not one connection came through the tap. Things to check:',
  '- Does the program call a model at all with these arguments, and did it get that far?',
  '- Is the model on this machine? Loopback stays direct until it is named: --provider\u00a0ollama=http://localhost:11434',
  '- Does the work happen elsewhere: in a daemon started before, a container, over ssh, or under sudo (which clears the environment)?',
  '- Does it ignore HTTPS_PROXY? Java needs --with\u00a0java; other programs have a proxy setting of their own, and the session gives its address in HTTPS_PROXY.',
];

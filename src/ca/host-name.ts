import { isIPv4, isIPv6 } from 'node:net';
import { TrackerError } from '../core/errors.js';

const maxNameLength = 253;
// NOTE: an underscore is no letter of a host name (RFC 1123), but names with one are in use and resolve.
const labelPattern = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
// A last label that reads as a number makes the whole an IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker (read 2026-11-21).
const numberPattern = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * Checks a host name before a certificate, a path or a key is made from it, and returns it in one form: lower case,
 * no trailing dot, IPv6 compressed and without brackets. Takes DNS names (ASCII; international names as punycode) and
 * IP addresses; no wildcards, ports or zones.
 *
 * Throws `HOST_NAME_INVALID`.
 *
 * @example requireHostName('API.OpenAI.com.') === 'api.openai.com'
 * @example requireHostName('[0:0:0:0:0:0:0:1]') === '::1'
 */
export function requireHostName(text: string): string {
  if (text.length > maxNameLength + 2) throw makeNameError(text, `it has ${text.length} characters`);
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (bare.includes(':') || bare !== text) return requireIpv6(bare, text);
  const name = (bare.endsWith('.') ? bare.slice(0, -1) : bare).toLowerCase();
  if (isIPv4(name)) return name;
  if (name === '' || name.length > maxNameLength) throw makeNameError(text, `it has ${name.length} characters`);
  const labels = name.split('.');
  for (const label of labels) {
    if (!labelPattern.test(label)) throw makeNameError(text, `${quote(label)} is no DNS label`);
  }
  if (numberPattern.test(labels.at(-1) ?? '')) throw makeNameError(text, 'it ends in a number and is no IPv4 address');
  return name;
}

function requireIpv6(bare: string, text: string): string {
  if (!isIPv6(bare) || bare.includes('%')) throw makeNameError(text, 'it is no IPv6 address');
  return new URL(`http://[${bare}]`).hostname.slice(1, -1);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function makeNameError(text: string, found: string): TrackerError {
  return new TrackerError('HOST_NAME_INVALID', `Could not take ${quote(text)} as a host name: ${found}.`, {
    hint: 'Give a DNS name (international names as punycode) or an IP address, without port, path or wildcard.',
  });
}

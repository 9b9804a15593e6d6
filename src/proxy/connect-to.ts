import { TrackerError } from '../core/errors.js';
import { type HostAndPort, readAuthority } from './authority-form.js';

/** Where to dial instead of where the client named. */
export interface ConnectToRule {
  /** `null` matches every host. */
  readonly host: string | null;
  /** `null` matches every port. */
  readonly port: number | null;
  /** `null` keeps the host named. */
  readonly toHost: string | null;
  /** `null` keeps the port named. */
  readonly toPort: number | null;
}

/**
 * Reads curl's `--connect-to` form `HOST1:PORT1:HOST2:PORT2`, each part of which may be empty.
 * Throws `OPTION_INVALID`. Source: curl's manual page, `--connect-to` (read 2026-11-21).
 *
 * @example
 * readConnectTo('api.openai.com:443:127.0.0.1:8443')
 */
export function readConnectTo(text: string): ConnectToRule {
  const part = String.raw`(\[[0-9a-f:.]+\]|[^:[\]]*)`;
  const match = new RegExp(`^${part}:(\\d*):${part}:(\\d*)$`, 'i').exec(text.trim());
  const ports = [match?.[2], match?.[4]].filter((port) => port !== undefined && port !== '').map(Number);
  const hosts = [match?.[1], match?.[3]].filter((host) => host !== undefined && host !== '');
  const readable = match !== null && hosts.every((host) => readHost(host) !== null);
  if (!readable || ports.some((port) => port < 1 || port > 65535)) {
    throw new TrackerError(
      'OPTION_INVALID',
      `Could not read --connect-to (connectTo) "${text}": it is not HOST:PORT:ADDR:PORT.`,
      {
        hint: 'Write it as curl does, for example api.openai.com:443:127.0.0.1:8443.',
      },
    );
  }
  return {
    host: readHost(match[1]),
    port: match[2] ? Number(match[2]) : null,
    toHost: readHost(match[3]),
    toPort: match[4] ? Number(match[4]) : null,
  };
}

/** The address to dial for a named one: the first rule that matches, as curl does. */
export function applyConnectTo(rules: readonly ConnectToRule[], named: HostAndPort): HostAndPort {
  for (const rule of rules) {
    if (rule.host !== null && rule.host !== named.host) continue;
    if (rule.port !== null && rule.port !== named.port) continue;
    return { host: rule.toHost ?? named.host, port: rule.toPort ?? named.port };
  }
  return named;
}

function readHost(text: string | undefined): string | null {
  return text ? (readAuthority(text, 443)?.host ?? null) : null;
}

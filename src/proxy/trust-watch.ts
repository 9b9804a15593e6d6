import { explainTrust } from './trust-hint.js';

export interface TrustFault {
  readonly message: string;
  readonly hint: string;
}

interface HostTrust {
  /** Connections on which a request came. */
  served: number;
  /** Connections closed right after the certificate, without a request. */
  silent: number;
  userAgent: string | null;
  reported: boolean;
}

/** Clients open connections ahead and drop them unused: one silent close proves nothing, two with no request ever do. */
const silentClosesToReport = 2;
/** Names come from the wire: bounded. */
const maxHosts = 1000;

/**
 * Notices, per session and host, that clients refuse our certificate: by the alert where they send one, by
 * connections that close unused where they do not (Node does not). Failing trust multiplies traffic, so it is
 * said early and once.
 */
export class TrustWatch {
  readonly #hosts = new Map<string, HostTrust>();
  readonly #report: (fault: TrustFault) => void;
  #closed = false;

  constructor(report: (fault: TrustFault) => void) {
    this.#report = report;
  }

  onServed(host: string): void {
    this.#require(host, null).served += 1;
  }

  onAlert(host: string, alert: string, userAgent: string | null): void {
    const trust = this.#require(host, userAgent);
    this.#say(trust, `A client refused the tap's certificate for ${host} (${alert}).`);
  }

  onSilentClose(host: string, userAgent: string | null): void {
    const trust = this.#require(host, userAgent);
    trust.silent += 1;
    if (trust.silent >= silentClosesToReport) this.#saySilent(host, trust);
  }

  /** At the session's end even one silent close is worth a word, when nothing else ever came. */
  close(): void {
    for (const [host, trust] of this.#hosts) if (trust.silent > 0) this.#saySilent(host, trust);
    // What closes from here on is closed by us.
    this.#closed = true;
    this.#hosts.clear();
  }

  #saySilent(host: string, trust: HostTrust): void {
    if (trust.served > 0) return;
    const times = trust.silent === 1 ? 'once' : `${trust.silent} times`;
    this.#say(
      trust,
      `A client closed its connection to ${host} right after seeing the tap's certificate, ${times}, and never sent a request: it seems not to trust it.`,
    );
  }

  #say(trust: HostTrust, message: string): void {
    if (trust.reported || this.#closed) return;
    trust.reported = true;
    this.#report({ message: `${message} Its calls cannot be seen.`, hint: explainTrust(trust.userAgent) });
  }

  #require(host: string, userAgent: string | null): HostTrust {
    let trust = this.#hosts.get(host);
    if (trust === undefined) {
      if (this.#hosts.size >= maxHosts) this.#hosts.clear();
      trust = { served: 0, silent: 0, userAgent: null, reported: false };
      this.#hosts.set(host, trust);
    }
    trust.userAgent ??= userAgent;
    return trust;
  }
}

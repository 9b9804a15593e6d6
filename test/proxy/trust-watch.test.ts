import { describe, expect, it } from 'vitest';
import { explainTrust } from '../../src/proxy/trust-hint.js';
import { type TrustFault, TrustWatch } from '../../src/proxy/trust-watch.js';

function openWatch(): { watch: TrustWatch; faults: TrustFault[] } {
  const faults: TrustFault[] = [];
  return { faults, watch: new TrustWatch((fault) => faults.push(fault)) };
}

describe('a refused certificate', () => {
  it('is said once a host, however often it is refused', () => {
    const { watch, faults } = openWatch();
    for (let i = 0; i < 27; i += 1) watch.onAlert('a.example', 'alert unknown_ca', 'curl/8');
    watch.onSilentClose('a.example', null);
    watch.onAlert('b.example', 'alert unknown_ca', null);
    watch.close();
    expect(faults.map((fault) => fault.message.includes('a.example'))).toEqual([true, false]);
    expect(faults[0]?.hint).toContain('CURL_CA_BUNDLE');
  });

  it('is presumed after two silent closes, or one at the end, unless a call was served', () => {
    const two = openWatch();
    two.watch.onSilentClose('h', null);
    expect(two.faults.length).toBe(0);
    two.watch.onSilentClose('h', null);
    expect(two.faults.length).toBe(1);
    const served = openWatch();
    served.watch.onSilentClose('h', null);
    served.watch.onServed('h');
    served.watch.onSilentClose('h', null);
    served.watch.close();
    expect(served.faults).toEqual([]);
    const ended = openWatch();
    ended.watch.onSilentClose('h', null);
    ended.watch.close();
    expect(ended.faults.length).toBe(1);
  });

  it('is not presumed of the connections the session itself closes at its end', () => {
    const { watch, faults } = openWatch();
    watch.close();
    for (let i = 0; i < 5; i += 1) watch.onSilentClose('h', null);
    watch.onAlert('h', 'alert unknown_ca', null);
    expect(faults).toEqual([]);
  });
});

describe('the hint', () => {
  it.each([
    ['curl/8.5.0', 'CURL_CA_BUNDLE'],
    ['python-requests/2.32', 'REQUESTS_CA_BUNDLE'],
    ['Python-urllib/3.11', 'SSL_CERT_FILE'],
    ['Go-http-client/1.1', 'SSL_CERT_FILE'],
    ['Wget/1.21', 'WGETRC'],
    ['git/2.43', 'GIT_SSL_CAINFO'],
    ['Java-http-client/21', '--with java'],
    ['Deno/2.1', 'DENO_CERT'],
    ['node', 'NODE_EXTRA_CA_CERTS'],
  ])('for %s names the variable it reads', (agent, variable) => {
    expect(explainTrust(agent)).toContain(variable);
  });

  it('for a client that does not say names the usual ones, and never repeats control characters', () => {
    expect(explainTrust(null)).toMatch(/NODE_EXTRA_CA_CERTS.*SSL_CERT_FILE.*REQUESTS_CA_BUNDLE/);
    expect(explainTrust(`\u001b[31m${'x'.repeat(500)}`)).not.toContain('\u001b');
    expect(explainTrust('x'.repeat(500)).length).toBeLessThan(600);
  });
});

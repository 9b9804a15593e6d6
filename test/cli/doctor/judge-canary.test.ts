import { describe, expect, it } from 'vitest';
import { type Canary, canaries } from '../../../src/cli/doctor/canaries.js';
import { type CanaryFacts, judgeCanary } from '../../../src/cli/doctor/judge-canary.js';
import type { BoundedEnd } from '../../../src/cli/run/run-bounded.js';
import type { ErrorCode } from '../../../src/core/errors.js';

const ended: BoundedEnd = { status: 1, isLate: false, startError: null, head: '', tail: '', durationMs: 5 };

function judge(name: string, facts: Partial<CanaryFacts>) {
  const nothing = { isRecorded: false, hasArrived: false, faults: [], end: ended, hiddenBy: null, deadlineMs: 15_000 };
  return judgeCanary(findCanary(name), { ...nothing, ...facts });
}

function findCanary(name: string): Canary {
  const canary = canaries.find((known) => known.name === name);
  if (canary === undefined) throw new Error(`there is no canary ${name}`);
  return canary;
}

const makeFault = (code: ErrorCode) => ({
  code,
  message: `${code} said`,
  hint: `${code} helps`,
  sessionId: null,
  at: '',
});

describe('a canary', () => {
  it('whose call is on record is seen, however it ended', () => {
    expect(judge('curl', { isRecorded: true, end: { ...ended, isLate: true } })).toMatchObject({ verdict: 'seen' });
  });

  it('that needs an option to be seen names it', () => {
    expect(judge('java', { isRecorded: true })).toMatchObject({
      level: 'ok',
      fix: expect.stringContaining('--with java'),
    });
  });

  it('without its library is absent', () => {
    expect(judge('python-httpx', { end: { ...ended, status: 77 } })).toMatchObject({ verdict: 'absent', level: 'ok' });
  });

  // As each wrote it, in this order: curl 7.88, urllib of Python 3.11, wget 1.21, git 2.39, Node 20, Bun 1.4, Deno 2.9,
  // aiohttp 3.14, PHP 8.2, LWP 6.68, Go 1.19, Java 17, Ruby 3.1.
  it.each([
    'curl: (6) Could not resolve host: llm.llmtap.invalid',
    'urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>',
    'wget: unable to resolve host address ‘llm.llmtap.invalid’',
    "fatal: unable to access 'https://llm.llmtap.invalid/x.git/': Could not resolve host: llm.llmtap.invalid",
    'Error: getaddrinfo ENOTFOUND llm.llmtap.invalid',
    'error: getaddrinfo ENOTFOUND',
    'client error (Connect): dns error: failed to lookup address information: Name or service not known',
    'ClientConnectorDNSError: Cannot connect to host llm.llmtap.invalid:443 ssl:default [Name or service not known]',
    'php_network_getaddresses: getaddrinfo for llm.llmtap.invalid failed: Name or service not known',
    "500 Can't connect to llm.llmtap.invalid:443 (Name or service not known)",
    'dial tcp: lookup llm.llmtap.invalid: no such host',
    'Caused by: java.nio.channels.UnresolvedAddressException',
    'Failed to open TCP connection to llm.llmtap.invalid:443 (getaddrinfo: Name or service not known) (SocketError)',
  ])('that looks the provider up by itself goes direct: %s', (tail) => {
    const found = judge('curl', { end: { ...ended, tail } });
    expect(found).toMatchObject({ verdict: 'direct', level: 'warning', fix: expect.any(String) });
  });

  it('that is kept direct by the user is told so before anything else', () => {
    const found = judge('curl', { hiddenBy: '*', end: { ...ended, tail: 'Could not resolve host' } });
    expect(found.fix).toBe('Take * out of NO_PROXY: it keeps every provider direct.');
  });

  it('that refuses the session is a problem, with the hint of the fault', () => {
    const found = judge('curl', { faults: [makeFault('OPTION_CONFLICT'), makeFault('TLS_REFUSED')] });
    expect(found).toMatchObject({ verdict: 'refused', level: 'problem', fix: 'TLS_REFUSED helps' });
  });

  it('that speaks what is not served is not read', () => {
    const found = judge('curl', { hasArrived: true, faults: [makeFault('PROTOCOL_UNREAD')] });
    expect(found).toMatchObject({ verdict: 'unread', level: 'warning' });
  });

  it('that got through without a record is a problem of llmtap’s', () => {
    const found = judge('curl', { hasArrived: true, faults: [makeFault('OPTION_CONFLICT')] });
    expect(found).toMatchObject({ verdict: 'unrecorded', level: 'problem', fix: expect.stringContaining('report it') });
  });

  it('that makes no model calls need not leave a record', () => {
    expect(judge('git', { hasArrived: true })).toMatchObject({ verdict: 'relayed', level: 'ok' });
  });

  it('never says anything the program wrote', () => {
    const end = { ...ended, head: 'planted', tail: 'planted' };
    for (const { name } of canaries) expect(JSON.stringify(judge(name, { end }))).not.toContain('planted');
  });
});

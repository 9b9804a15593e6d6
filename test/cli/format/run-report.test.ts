import { describe, expect, it } from 'vitest';
import { makePalette } from '../../../src/cli/colour.js';
import { formatFaultReport, formatRunReport, type RunReport } from '../../../src/cli/format/run-report.js';
import type { Fault } from '../../../src/core/events.js';
import { makeCounts, makeModel } from '../make-summary.js';

const plain = makePalette({ isTty: false }, {});

const refused: Fault = {
  code: 'TLS_REFUSED',
  message: 'a client refused our certificate for api.openai.com',
  hint: 'Set SSL_CERT_FILE.',
  sessionId: 'sess_0123456789ab',
  at: '2026-11-21T06:00:00.000Z',
};

function makeReport(own: Partial<RunReport> = {}): RunReport {
  return {
    session: {
      sessionId: 'sess_0123456789ab',
      openedAt: '2026-11-21T06:00:00.000Z',
      command: ['agent'],
      runId: 'run-7',
      configKey: null,
      variationKey: null,
      version: null,
      graphKey: null,
      graphRunId: null,
      dataId: null,
      comboId: null,
      agentId: null,
    },
    durationMs: 3210,
    counts: makeCounts(),
    summary: { models: [], calls: 0, errors: 0, refusedCalls: 0, counts: null },
    faults: [],
    faultsBeyond: 0,
    exitCode: 0,
    ...own,
  };
}

const print = (own: Partial<RunReport>, width: number | null = null) => formatRunReport(makeReport(own), plain, width);

describe('the report of a run', () => {
  it('says how many calls, how long, which run, and what to type next', () => {
    const models = [makeModel()];
    const text = print({
      counts: makeCounts({ calls: 12 }),
      summary: { models, calls: 12, errors: 0, refusedCalls: 0, counts: null },
    });
    expect(text).toMatch(/^\nllmtap 12 model calls in 3.21 s, \$0.0033 · run run-7\n\nmodel /);
    expect(text).toMatch(/\neach call: llmtap calls --run run-7\n$/);
  });

  it('says of how many calls there is no price, and no price where there is none at all', () => {
    const counts = makeCounts({ calls: 12 });
    const some = [makeModel(), makeModel({ model: 'mine', calls: 2, costUsd: { known: null, unknownCalls: 2 } })];
    const text = print({ counts, summary: { models: some, calls: 14, errors: 0, refusedCalls: 0, counts: null } });
    expect(text).toContain('in 3.21 s, ≥ $0.0033 · run run-7');
    expect(text).toContain('2 calls have no price.');
    const none = print({
      counts,
      summary: { models: some.slice(1), calls: 2, errors: 0, refusedCalls: 0, counts: null },
    });
    expect(none).toContain('in 3.21 s · run run-7');
    expect(none).not.toContain('$');
  });

  it('says how many calls a budget kept from being sent', () => {
    const some = { models: [makeModel()], calls: 12, errors: 3, counts: null };
    const report = (refusedCalls: number) =>
      print({ counts: makeCounts({ calls: 12 }), summary: { ...some, refusedCalls } });
    expect(report(3)).toContain('3 calls were refused and sent to nobody: the budget had no room.');
    expect(report(1)).toContain('1 call was refused and sent to nobody: the budget had no room.');
    expect(report(0)).not.toContain('refused');
  });

  it('quotes a run id that a shell would take apart', () => {
    const session = { ...makeReport().session, runId: "it's one" };
    const summary = { models: [makeModel()], calls: 1, errors: 0, refusedCalls: 0, counts: null };
    expect(print({ session, counts: makeCounts({ calls: 1 }), summary })).toContain("--run 'it'\\''s one'");
  });

  it('names what to check when not one connection came', () => {
    const text = print({});
    expect(text).toContain('llmtap 0 model calls');
    expect(text).toContain('Not one connection came through the tap.');
    expect(text).toContain('--provider ollama=http://localhost:11434');
    expect(text).toContain('--with java');
  });

  it('names nothing to check when the program itself failed', () => {
    const text = print({ exitCode: 3 });
    expect(text).toContain('  The program ended with status 3, and not one connection came through the tap.\n');
    expect(text.trimEnd().split('\n')).toHaveLength(3);
  });

  it('does not say that nothing came where a replay refused what came', () => {
    for (const code of ['REPLAY_REFUSED', 'REPLAY_MISSED'] as const) {
      const faults = [{ fault: { ...refused, code }, count: 1 }];
      const text = print({ faults, exitCode: 56, counts: makeCounts({ passedRequests: 1 }) });
      expect(text).toContain('  What the program asked is not in the recording: see above.\n');
      expect(text).not.toMatch(/not one connection|no model call \(/);
    }
  });

  it('counts one as one', () => {
    const text = print({ counts: makeCounts({ tunnels: 1, tunnelBytes: 4200, passedRequests: 1 }) });
    expect(text).toContain('1 request that is no model call (');
    expect(text).toContain(
      "1 connection to a host that is nobody's provider went through unread (4.20 kB). If it serves",
    );
  });

  it('does not say that a connection which carried nothing went through', () => {
    const text = print({ counts: makeCounts({ tunnels: 2 }) });
    expect(text).toContain("2 connections to hosts that are nobody's provider carried nothing:");
    expect(text).not.toContain('went through');
  });

  it('does not take a connection it could not read for one to nobody', () => {
    const fault = { ...refused, code: 'PROTOCOL_UNREAD' as const };
    const text = print({ faults: [{ fault, count: 1 }], counts: makeCounts({ tunnels: 1, tunnelBytes: 900 }) });
    expect(text).toContain('The program spoke to a provider in a way that is not read');
    expect(text).not.toContain('nobody');
  });

  it('tells tunnels, other requests and WebSockets from nothing', () => {
    const text = print({
      counts: makeCounts({ tunnels: 3, tunnelBytes: 4200, passedRequests: 1, upgrades: 2 }),
    });
    expect(text).toContain('3 connections to hosts that are nobody');
    expect(text).toContain('4.20 kB');
    expect(text).toContain('1 request that');
    expect(text).toContain('2 WebSocket connections');
    expect(text).not.toContain('Not one connection');
  });

  it('tells each fault once, with its hint and how often it came', () => {
    const text = print({ faults: [{ fault: refused, count: 27 }] });
    expect(text).toMatch(/\n {2}hint: Set SSL_CERT_FILE\.\n\nllmtap 0 model calls/);
    expect(text).toMatch(
      /^\nllmtap: A client refused our certificate for api.openai.com. \(27 times\)\n {2}hint: Set SSL_/,
    );
    expect(text).toContain('would not trust the certificate');
  });

  it('tells ten kinds of faults and counts the others', () => {
    const faults = Array.from({ length: 14 }, (_, index) => ({
      fault: { ...refused, message: `fault ${index}` },
      count: 2,
    }));
    expect(print({ faults, faultsBeyond: 5 })).toContain('llmtap: and 13 more faults.');
    expect(formatFaultReport({ faults, faultsBeyond: 5 }, plain)).toContain('llmtap: and 13 more faults.');
    expect(formatFaultReport({ faults: [], faultsBeyond: 0 }, plain)).toBe('');
  });

  it('says which calls went through without being kept', () => {
    const text = print({ counts: makeCounts({ calls: 3 }), summary: null });
    expect(text).toContain('3 calls went through without being kept');
    expect(text).not.toContain('each call:');
  });

  it('wraps its sentences into the terminal', () => {
    const lines = print({ counts: makeCounts({ tunnels: 3 }) }, 60).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(62);
  });
});

import { describe, expect, it } from 'vitest';
import { makeRunVariables } from '../../src/activation/run-variables.js';
import { makeTraceId, placeSession, readTraceparent } from '../../src/core/trace-ids.js';
import { makeConfigToken, parseConfigToken, parseGraphToken } from '../../src/trackers/resumption-token.js';
import { makeSessionToken } from '../../src/trackers/session-token.js';

const runId = '6f1c0a3e-26bb-4a39-9c4a-0a1b2c3d4e5f';
const place = { sessionId: 'sess_0123456789ab', runId, token: null, traceparent: undefined };
const users = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

describe('the variables of a run', () => {
  it('name the span of the session, in the trace of the run', () => {
    const { TRACEPARENT } = makeRunVariables(place, {});
    expect(readTraceparent(TRACEPARENT)).toEqual({ ...placeSession(place), isSampled: true });
    expect(TRACEPARENT).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(readTraceparent(TRACEPARENT)?.traceId).toBe(makeTraceId(runId));
  });

  it('stay in the trace the tap was started in, and as sampled as that', () => {
    const { TRACEPARENT } = makeRunVariables({ ...place, traceparent: users }, { TRACEPARENT: users });
    const { spanId } = placeSession(place);
    expect(readTraceparent(TRACEPARENT)).toEqual({ traceId: 'a'.repeat(32), spanId, isSampled: false });
  });

  it('leave a child the nearer parent it is given', () => {
    const nearer = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    expect(makeRunVariables({ ...place, traceparent: users }, { TRACEPARENT: nearer })).not.toHaveProperty(
      'TRACEPARENT',
    );
    expect(makeRunVariables(place, { TRACEPARENT: 'nonsense' }).TRACEPARENT).toMatch(/^00-/);
  });

  it('take a token of another run back', () => {
    expect(makeRunVariables(place, {})).not.toHaveProperty('LLMTAP_RESUMPTION_TOKEN');
    expect(makeRunVariables(place, { LLMTAP_RESUMPTION_TOKEN: 'other' }).LLMTAP_RESUMPTION_TOKEN).toBe('');
    expect(makeRunVariables({ ...place, token: 'own' }, { LLMTAP_RESUMPTION_TOKEN: 'other' })).toMatchObject({
      LLMTAP_RESUMPTION_TOKEN: 'own',
    });
  });
});

describe('the token of a session', () => {
  const none = { configKey: null, variationKey: null, version: null, graphKey: null, graphRunId: null };
  const ids = { runId, ...none, dataId: null, comboId: null, agentId: null };

  it('is that of its config’s run', () => {
    const token = makeSessionToken({ ...ids, configKey: 'bot', version: 0, graphKey: 'g', graphRunId: 'r' });
    expect(token).toBe(makeConfigToken({ runId, configKey: 'bot', variationKey: '', version: 0, graphKey: 'g' }));
    expect(parseConfigToken(token)).toMatchObject({ ok: true, value: { runId, configKey: 'bot', version: 0 } });
  });

  it('is that of its graph’s run where it has no config', () => {
    const token = makeSessionToken({ ...ids, graphKey: 'g', graphRunId: 'r', variationKey: 'v' });
    expect(parseGraphToken(token)).toMatchObject({ ok: true, value: { runId: 'r', graphKey: 'g', variationKey: 'v' } });
  });

  it('is none where it has neither', () => {
    expect(makeSessionToken(ids)).toBeNull();
    expect(makeSessionToken({ ...ids, graphKey: 'g' })).toBeNull();
  });
});

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import { unknownCost } from '../../src/core/cost.js';
import type { Session } from '../../src/core/session.js';

const noIds = {
  runId: 'run-1',
  configKey: null,
  variationKey: null,
  version: null,
  graphKey: null,
  graphRunId: null,
  dataId: null,
  comboId: null,
  agentId: null,
};

/** A call as `make-record` leaves it; its clock goes on a second with each. */
export function makeCall(changes: Partial<CallRecord> = {}): CallRecord {
  return {
    ...noIds,
    callId: randomUUID(),
    sessionId: 'sess_000000000001',
    provider: 'openai',
    api: 'chat.completions',
    method: 'POST',
    url: 'https://api.openai.com/v1/chat/completions',
    requestedModel: 'gpt-4o',
    routedModel: 'gpt-4o',
    model: 'gpt-4o',
    stream: false,
    status: 200,
    outcome: 'ok',
    partial: false,
    protocol: 'http/1.1',
    usage: {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      totalTokens: 15,
    },
    usageProblem: null,
    usageDetails: null,
    estimatedUsage: null,
    cost: unknownCost,
    serviceTier: null,
    startedAt: '2026-01-01T00:00:00.000Z',
    latencyMs: 12.5,
    timeToFirstByteMs: 10.25,
    timeToFirstTokenMs: null,
    streamTiming: null,
    selfMs: null,
    receipt: null,
    cached: false,
    cachedLatencyMs: null,
    finishReasons: ['stop'],
    toolCalls: [],
    responseId: 'chatcmpl-1',
    requestId: 'req_1',
    wireSession: null,
    requestBytes: 100,
    responseBytes: 200,
    error: null,
    changes: [],
    requestBody: null,
    responseBody: null,
    ...changes,
  };
}

/** The instant so many seconds into 2026. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
}

export function makeSession(changes: Partial<Session> = {}): Session {
  return { ...noIds, sessionId: 'sess_000000000001', openedAt: at(0), command: ['agent', '--fast'], ...changes };
}

/** A folder of the test's own, gone when it ends. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'llmtap-storage-'));
  onTestFinished(() => {
    chmodSync(home, 0o700);
    rmSync(home, { recursive: true, force: true });
  });
  return home;
}

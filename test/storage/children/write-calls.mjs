// Writes calls and prints each id once the turn of the loop that saved it has ended: node write-calls.mjs HOME COUNT RUN BODY_BYTES
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLedgerWriter } from '../../../dist/storage/ledger-writer.js';

const [home, count, runId, bodyBytes] = process.argv.slice(2);
const writer = openLedgerWriter({ home, onFault: (fault) => writeSync(2, `${JSON.stringify(fault)}\n`) });
const body = Number(bodyBytes) > 0 ? { text: 'b'.repeat(Number(bodyBytes)) } : null;
const ids = { configKey: null, variationKey: null, version: null, graphKey: null, graphRunId: null };
const unknown = { cacheReadTokens: null, cacheWriteTokens: null, reasoningTokens: null };

for (let i = 0; i < Number(count); i++) {
  const callId = randomUUID();
  writer.saveCall({
    ...ids,
    ...{ callId, runId, sessionId: 'sess_000000000001', dataId: null, comboId: null, agentId: null },
    ...{ provider: 'openai', api: 'chat.completions', method: 'POST', url: 'https://api.openai.com/v1/chat/completions' },
    ...{ requestedModel: 'm', routedModel: 'm', model: 'm', stream: false, status: 200, outcome: 'ok' },
    ...{ usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2, ...unknown }, usageProblem: null },
    ...{ startedAt: new Date().toISOString(), latencyMs: 1, timeToFirstByteMs: 1, timeToFirstTokenMs: null },
    ...{ partial: false, protocol: 'http/1.1', usageDetails: null, estimatedUsage: null, serviceTier: null },
    ...{ cost: { usd: null, problem: null, basis: null, savedUsd: null, reportedUsd: null } },
    ...{ streamTiming: null, selfMs: null, receipt: null },
    ...{ cached: false, cachedLatencyMs: null, finishReasons: [], toolCalls: [], responseId: null, requestId: null, wireSession: null },
    ...{ requestBytes: 1, responseBytes: 1, error: null, changes: [], requestBody: body, responseBody: null },
  });
  await new Promise((resolve) => setImmediate(resolve));
  if (writer.waiting === 0) writeSync(1, `${callId}\n`);
}
await writer.close();
writeSync(1, `closed ${writer.lostCalls}\n`);

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { googleLive } from '../../src/providers/google-live.js';
import { openaiRealtime } from '../../src/providers/openai-realtime.js';
import { openaiResponsesSocket } from '../../src/providers/openai-responses-socket.js';
import { type Passed, readCalls } from '../providers/socket-calls.js';

const ids = fc.constantFrom('a', 'b', 'c', '', 1, null);
const counts = fc.oneof(fc.nat(100), fc.constantFrom(-1, 1.5, null, 'x', {}));
const response = fc.record(
  {
    id: ids,
    status: fc.constantFrom('in_progress', 'completed', 'failed', 1),
    output: fc.anything(),
    usage: fc.oneof(fc.record({ input_tokens: counts, output_tokens: counts }), fc.anything()),
    status_details: fc.anything(),
  },
  { requiredKeys: [] },
);
const types = [
  ...['response.create', 'response.created', 'response.done', 'response.completed', 'response.failed', 'error'],
  ...['response.output_text.delta', 'response.output_item.done', 'session.updated', 'conversation.item.create'],
];
const openaiMessages = fc.record(
  {
    type: fc.constantFrom(...types),
    response,
    response_id: ids,
    stream_id: ids,
    event_id: ids,
    generate: fc.constantFrom(false, true),
    error: fc.anything(),
    item: fc.anything(),
  },
  { requiredKeys: ['type'] },
);
const googleMessages = fc.record(
  {
    setup: fc.anything(),
    clientContent: fc.anything(),
    realtimeInput: fc.anything(),
    toolResponse: fc.anything(),
    serverContent: fc.oneof(fc.record({ turnComplete: fc.constant(true) }), fc.anything()),
    toolCall: fc.anything(),
    usageMetadata: fc.oneof(fc.record({ promptTokenCount: counts, responseTokenCount: counts }), fc.anything()),
  },
  { requiredKeys: [] },
);
const texts = fc.oneof(
  fc.string(),
  openaiMessages.map((message) => stringify(message)),
  googleMessages.map((message) => stringify(message)),
);
const sockets = fc.array(fc.tuple(fc.constantFrom<'C' | 'S'>('C', 'S'), texts), { maxLength: 40 });

it.each([openaiRealtime, openaiResponsesSocket, googleLive])(
  'the dialect of a socket takes any messages without throwing, and ends each call once: %o',
  (dialect) => {
    fc.assert(
      fc.property(sockets, (passed: readonly Passed[]) => {
        for (const { facts } of readCalls(dialect, passed)) {
          const { usage, usageProblem } = facts.reply;
          expect(usage.inputTokens === null || usage.outputTokens === null).toBe(usageProblem !== null);
        }
      }),
      { numRuns: 400 },
    );
  },
);

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? 'null';
}

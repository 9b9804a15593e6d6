import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GEMINI_GRPC, VERTEX_GRPC, XAI_GRPC } from '../../src/providers/grpc.js';

const apis = [...GEMINI_GRPC, ...VERTEX_GRPC, ...XAI_GRPC];

/** Framed as messages or not, so that both what frames and what is framed meets anything. */
const bodies = fc.array(
  fc.tuple(fc.constantFrom(null, 0, 1, 2), fc.uint8Array({ maxLength: 64 })).map(([flag, bytes]) => {
    if (flag === null) return bytes;
    const prefix = Buffer.alloc(5);
    prefix.writeUInt8(flag);
    prefix.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([prefix, bytes]);
  }),
  { maxLength: 8 },
);

describe('calls by gRPC', () => {
  it('take any bytes without throwing, and tell why nothing is known', () => {
    fc.assert(
      fc.property(fc.constantFrom(...apis), bodies, fc.boolean(), ({ dialect, path }, chunks, hasStatus) => {
        const findHeader = (name: string): string | null => (name === 'grpc-encoding' ? 'gzip' : null);
        const asked = dialect.openRequest?.(findHeader);
        for (const chunk of chunks) asked?.write(chunk);
        const request = dialect.readRequest(asked?.end() ?? null, path);
        const reply = dialect.openReply({ status: 200, contentType: 'application/grpc', findHeader }, request);
        for (const chunk of chunks) reply.write(chunk, 1);
        if (hasStatus) reply.readTrailers?.((name) => (name === 'grpc-status' ? '0' : null));
        const facts = reply.end();
        expect(facts.complete).toBe(hasStatus);
        const isKnown = facts.usage.inputTokens !== null && facts.usage.outputTokens !== null;
        expect(facts.usageProblem === null).toBe(isKnown);
      }),
      { numRuns: 2000 },
    );
  });
});

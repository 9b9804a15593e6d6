import { describe, expect, it } from 'vitest';
import type { Way } from './agent.js';
import { claudeCode } from './agents/claude-code.js';
import { installAgent } from './install.js';
import { openStage } from './stage.js';

describe(`Claude Code ${claudeCode.version}, when it is asked for its context`, () => {
  const [way] = claudeCode.ways as readonly [Way];
  it('has no tokens on record that it only counts', async (context) => {
    const folder = await installAgent(claudeCode).catch((error: unknown) => context.skip(String(error)));
    const counting = { ...way, args: () => ['-p', '--model', 'claude-sonnet-4-5', '/context'] };
    const stage = await openStage({
      agent: claudeCode,
      way: counting,
      folder,
      answer: () => ({ thought: '', text: '', toolCall: null }),
    });
    try {
      const { ended, records, others, summary } = await stage.runTapped();
      expect(ended.stdout).toContain('Context Usage');
      expect(others.filter(({ api }) => api === 'count_tokens').length).toBeGreaterThan(10);
      expect(records).toEqual([]);
      expect(summary?.counts.passedRequests).toBe(others.length);
    } finally {
      await stage.close();
    }
  });
});

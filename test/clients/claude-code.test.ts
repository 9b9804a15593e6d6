import { beforeAll, describe, expect, it } from 'vitest';
import { findDifferences } from '../../examples/demo/compare.js';
import type { Answer, Ask } from '../../examples/provider/provider.js';
import type { Way } from './agent.js';
import { claudeCode } from './agents/claude-code.js';
import { installAgent } from './install.js';
import { openStage } from './stage.js';

const errand = 'Say a small word.';

/** Sends a subagent of a small model on an errand, then answers. */
function sendSubagent({ lastText, hasAnswered }: Ask): Answer {
  const text = lastText.includes(errand) ? 'ant' : 'The word is “ant”.';
  if (hasAnswered || lastText.includes(errand)) return { thought: '', text, toolCall: null };
  const input = {
    description: 'Asks for a word',
    prompt: errand,
    subagent_type: 'general-purpose',
    model: 'haiku',
    run_in_background: false,
  };
  return { thought: '', text: '', toolCall: { name: 'Agent', input } };
}

describe(`Claude Code ${claudeCode.version}, when it asks more than one question`, () => {
  const [way] = claudeCode.ways as readonly [Way];
  let folder: string | null = null;
  beforeAll(async () => {
    folder = await installAgent(claudeCode).catch(() => null);
  });

  it('has what its subagent asks on record beside its own, under its name', async (context) => {
    if (folder === null) return context.skip('not installed');
    const stage = await openStage({ agent: claudeCode, way, folder, answer: sendSubagent });
    try {
      const { ended, records, calls } = await stage.runTapped(['--allowedTools', 'Agent']);
      expect(ended.stdout).toContain('The word is “ant”.');
      expect(findDifferences(calls, records)).toEqual([]);
      expect(records.map(({ requestedModel, toolCalls }) => [requestedModel, ...toolCalls])).toEqual([
        ['claude-sonnet-4-5', 'Agent'],
        [expect.stringContaining('haiku')],
        ['claude-sonnet-4-5'],
      ]);
      const [own, below, last] = records.map(({ wireSession }) => wireSession ?? {});
      expect(below?.['x-claude-code-session-id']).toBe(own?.['x-claude-code-session-id']);
      expect(below?.['x-claude-code-agent-id']).toMatch(/^\w+$/);
      expect([own, last].map((names) => names?.['x-claude-code-agent-id'])).toEqual([undefined, undefined]);
    } finally {
      await stage.close();
    }
  });

  it('has no tokens on record that it only counts', async (context) => {
    if (folder === null) return context.skip('not installed');
    const counting = { ...way, args: () => ['-p', '--model', 'claude-sonnet-4-5', '/context'] };
    const stage = await openStage({ agent: claudeCode, way: counting, folder, answer: sendSubagent });
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

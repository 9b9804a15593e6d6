import { describe, expect, it, type TestContext } from 'vitest';
import type { Answer, Ask } from '../../examples/provider/provider.js';
import { codex } from './agents/codex.js';
import { installAgent } from './install.js';
import { openStage, type Run } from './stage.js';

const say = (text: string): Answer => ({ thought: '', text, toolCall: null });

/** Codex over its WebSocket, whose messages are compressed, with what is decided by the tap. */
async function runCodex(context: TestContext, flags: readonly string[], answer: (ask: Ask) => Answer): Promise<Run> {
  const [way] = codex.ways;
  if (way === undefined) throw new Error('Codex has no way to be asked.');
  const folder = await installAgent(codex).catch((error: unknown) => context.skip(String(error)));
  const stage = await openStage({ agent: codex, way, folder, answer });
  try {
    return await stage.runTapped([], flags);
  } finally {
    await stage.close();
  }
}

describe('Codex over a WebSocket', () => {
  it('says what the model says that a router chose', async (context) => {
    const models: (string | null)[] = [];
    const run = await runCodex(context, ['--router', 'fixed:gpt-5-nano'], ({ model }) => {
      models.push(model);
      return say('The word is “ant”.');
    });
    expect(run.ended.stdout).toContain('The word is “ant”.');
    expect(models).toEqual(['gpt-5-nano']);
    expect(run.records).toMatchObject([{ routedModel: 'gpt-5-nano', outcome: 'ok', protocol: 'websocket' }]);
    expect(run.records[0]?.requestedModel).not.toBe('gpt-5-nano');
    expect(run.summary?.faults).toEqual([]);
  });

  it('is told that its budget is spent, and does not ask again and again', async (context) => {
    const run = await runCodex(context, ['--max-calls', '1'], ({ toolResult }) =>
      toolResult === null
        ? { thought: '', text: '', toolCall: { name: 'exec_command', input: { cmd: 'true' } } }
        : say('never'),
    );
    expect(run.ended.stderr).toContain('Quota exceeded.');
    expect(run.ended.status).not.toBe(0);
    expect(run.records.map(({ outcome, error }) => [outcome, error?.code ?? null])).toEqual([
      ['ok', null],
      ['http_error', 'BUDGET_EXCEEDED'],
    ]);
    expect(run.messages.filter(({ bill }) => bill !== null)).toHaveLength(1);
    expect(run.calls).toEqual([]);
  });
});

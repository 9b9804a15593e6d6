import { describe, expect, it } from 'vitest';
import { findDifferences } from '../../examples/demo/compare.js';
import type { Answer, Ask, ToolCall } from '../../examples/provider/provider.js';
import type { Agent } from './agent.js';
import { claudeCode } from './agents/claude-code.js';
import { codex } from './agents/codex.js';
import { opencode } from './agents/opencode.js';
import { installAgent } from './install.js';
import { openStage } from './stage.js';

const errand = 'Say a small word.';

interface Errand {
  readonly agent: Agent;
  /** Title of the way it is asked. */
  readonly title: string;
  readonly args: readonly string[];
  /** What sends a subagent on it. */
  readonly call: ToolCall;
  /** What the record of a subagent's call has in `wireSession`, and no other. */
  readonly mark: string;
  /** What of the sender's `wireSession` that names; `null` when it names the subagent. */
  readonly names: string | null;
}

const spawn: Omit<Errand, 'title'> = {
  agent: codex,
  args: [],
  call: { namespace: 'multi_agent_v1', name: 'spawn_agent', input: { message: errand } },
  mark: 'x-codex-parent-thread-id',
  names: 'thread-id',
};
const asked = { description: 'Asks for a word', prompt: errand };

const errands: readonly Errand[] = [
  {
    agent: claudeCode,
    title: 'claude -p',
    args: ['--allowedTools', 'Agent'],
    call: {
      name: 'Agent',
      input: { ...asked, subagent_type: 'general-purpose', model: 'haiku', run_in_background: false },
    },
    mark: 'x-claude-code-agent-id',
    names: null,
  },
  { ...spawn, title: 'codex exec' },
  { ...spawn, title: 'codex exec, a provider of HTTP' },
  {
    agent: opencode,
    title: 'opencode run, Anthropic',
    args: [],
    call: { name: 'task', input: { ...asked, subagent_type: 'general' } },
    mark: 'x-parent-session-id',
    names: 'x-session-id',
  },
];

/** Answers as a model that sends one subagent, waits for it where it is told its id, and then answers. */
function makeSender(call: ToolCall): (ask: Ask) => Answer {
  const say = (text: string, toolCall: ToolCall | null = null): Answer => ({ thought: '', text, toolCall });
  let isSent = false;
  return ({ tool, lastText, toolResult }) => {
    if (toolResult === null && lastText.includes(errand)) return say('ant');
    if (!isSent && tool !== null) {
      isSent = true;
      return say('', call);
    }
    const id = /"agent_id":"([^"]+)"/.exec(toolResult ?? '')?.[1];
    if (id === undefined) return say('The word is “ant”.');
    return say('', { ...call, name: 'wait_agent', input: { targets: [id] } });
  };
}

describe('an agent that sends a subagent', () => {
  it.for(errands)('has its calls on record as what they are: $agent.name, $title', async (row, context) => {
    const { agent, title, args, call, mark, names } = row;
    const way = agent.ways.find((one) => one.title === title);
    if (way === undefined) throw new Error(`${agent.name} has no way called ${title}.`);
    const folder = await installAgent(agent).catch((error: unknown) => context.skip(String(error)));
    const stage = await openStage({ agent, way, folder, answer: makeSender(call) });
    try {
      const { ended, records, calls, messages } = await stage.runTapped(args);
      expect(ended.stdout).toContain('The word is “ant”.');
      expect(findDifferences([...calls, ...messages], records)).toEqual([]);
      const below = records.filter(({ wireSession }) => wireSession?.[mark] !== undefined);
      expect(below.map(({ outcome, toolCalls }) => [outcome, ...toolCalls])).toEqual([['ok']]);
      const sender = records.find(({ toolCalls }) => toolCalls.includes(call.name));
      const marked = below[0]?.wireSession?.[mark];
      if (names === null) expect(marked).toMatch(/^\w+$/);
      else expect(marked).toBe(sender?.wireSession?.[names]);
    } finally {
      await stage.close();
    }
  });
});

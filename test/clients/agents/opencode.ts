import { type Agent, quiet } from '../agent.js';

const env = { ...quiet, OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' };
const anthropic = { provider: 'anthropic', api: 'messages', protocol: 'http/1.1', stream: true } as const;
const openai = { provider: 'openai', api: 'responses', protocol: 'http/1.1', stream: true } as const;

/** A native program. It asks a small model for a title beside the answer, whichever comes first. */
export const opencode: Agent = {
  name: 'OpenCode',
  package: 'opencode-ai',
  version: '1.18.33',
  setUp: ['node', 'postinstall.mjs'],
  program: 'node_modules/opencode-ai/bin/opencode.exe',
  isScript: false,
  ways: [
    {
      title: 'opencode run, Anthropic',
      args: (prompt) => ['run', '-m', 'anthropic/claude-sonnet-4-5', prompt],
      env: { ...env, ANTHROPIC_API_KEY: 'sk-ant-example' },
      hosts: ['api.anthropic.com'],
      calls: [
        {
          ...anthropic,
          requestedModel: 'claude-haiku-4-5-20251001',
          finishReasons: ['end_turn'],
          session: ['x-session-id'],
        },
        { ...anthropic, requestedModel: 'claude-sonnet-4-5', finishReasons: ['end_turn'], session: ['x-session-id'] },
      ],
      shell: { tool: 'bash', input: (command) => ({ command, description: 'Asks a model' }), args: [] },
    },
    {
      title: 'opencode run, OpenAI',
      args: (prompt) => ['run', '-m', 'openai/gpt-5', prompt],
      env: { ...env, OPENAI_API_KEY: 'sk-example' },
      hosts: ['api.openai.com'],
      calls: [
        { ...openai, requestedModel: 'gpt-5.4-nano', finishReasons: ['completed'], session: ['session-id'] },
        {
          ...openai,
          requestedModel: 'gpt-5',
          finishReasons: ['completed'],
          session: ['session-id', 'prompt_cache_key'],
        },
      ],
    },
  ],
};

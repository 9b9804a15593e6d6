import { type Agent, quiet } from '../agent.js';

const shared = { protocol: 'http/1.1', stream: true } as const;
const shell = { tool: 'bash', input: (command: string) => ({ command }), args: [] };

/** A script. */
export const pi: Agent = {
  name: 'pi',
  package: '@mariozechner/pi-coding-agent',
  version: '0.73.1',
  program: 'node_modules/@mariozechner/pi-coding-agent/dist/cli.js',
  isScript: true,
  ways: [
    {
      title: 'pi -p, OpenAI',
      args: (prompt) => ['--provider', 'openai', '--model', 'gpt-4o', '-p', prompt],
      env: { ...quiet, OPENAI_API_KEY: 'sk-example' },
      hosts: ['api.openai.com'],
      calls: [
        {
          ...shared,
          provider: 'openai',
          api: 'responses',
          requestedModel: 'gpt-4o',
          finishReasons: ['completed'],
          session: ['session_id', 'prompt_cache_key'],
        },
      ],
      shell,
    },
    {
      title: 'pi -p, Anthropic',
      args: (prompt) => ['--provider', 'anthropic', '--model', 'claude-sonnet-4-5', '-p', prompt],
      env: { ...quiet, ANTHROPIC_API_KEY: 'sk-ant-example' },
      hosts: ['api.anthropic.com'],
      calls: [
        {
          ...shared,
          provider: 'anthropic',
          api: 'messages',
          requestedModel: 'claude-sonnet-4-5',
          finishReasons: ['end_turn'],
          session: [],
        },
      ],
    },
    {
      title: 'pi -p, Google',
      args: (prompt) => ['--provider', 'google', '--model', 'gemini-2.5-flash', '-p', prompt],
      env: { ...quiet, GEMINI_API_KEY: 'gem-example' },
      hosts: ['generativelanguage.googleapis.com'],
      calls: [
        {
          ...shared,
          provider: 'google',
          api: 'streamGenerateContent',
          requestedModel: 'gemini-2.5-flash',
          finishReasons: ['STOP'],
          session: [],
        },
      ],
    },
  ],
};

import { type Agent, type ExpectedCall, quiet } from '../agent.js';

const call: ExpectedCall = {
  provider: 'anthropic',
  api: 'messages',
  protocol: 'http/1.1',
  stream: true,
  requestedModel: 'claude-sonnet-4-5',
  finishReasons: ['end_turn'],
  session: ['x-claude-code-session-id', 'metadata.user_id'],
};

/** A native program. It asks its host for settings, limits and the like besides, which pass unrecorded. */
export const claudeCode: Agent = {
  name: 'Claude Code',
  package: '@anthropic-ai/claude-code',
  version: '2.1.332',
  setUp: ['node', 'install.cjs'],
  program: 'node_modules/@anthropic-ai/claude-code/bin/claude.exe',
  isScript: false,
  ways: [
    {
      title: 'claude -p',
      args: (prompt) => ['-p', '--model', 'claude-sonnet-4-5', prompt],
      env: { ...quiet, ANTHROPIC_API_KEY: 'sk-ant-example', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1' },
      hosts: ['api.anthropic.com'],
      calls: [call],
      shell: {
        tool: 'Bash',
        input: (command) => ({ command, description: 'Asks a model' }),
        args: ['--allowedTools', 'Bash'],
      },
    },
  ],
};

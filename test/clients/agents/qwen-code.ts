import { type Agent, type ExpectedCall, quiet } from '../agent.js';

const call: ExpectedCall = {
  provider: 'openai',
  api: 'chat.completions',
  protocol: 'http/1.1',
  stream: true,
  requestedModel: 'gpt-4o',
  finishReasons: ['stop'],
  session: ['prompt_cache_key'],
};

/** A script: says that it wants Node.js 22, and runs on 20. Its second call, after the answer, is about what to keep of it. */
export const qwenCode: Agent = {
  name: 'Qwen Code',
  package: '@qwen-code/qwen-code',
  version: '0.24.4',
  program: 'node_modules/@qwen-code/qwen-code/cli-entry.js',
  isScript: true,
  ways: [
    {
      title: 'qwen -p',
      args: (prompt) => ['--auth-type', 'openai', '-p', prompt],
      env: {
        ...quiet,
        OPENAI_API_KEY: 'sk-example',
        OPENAI_MODEL: 'gpt-4o',
        OPENAI_BASE_URL: 'https://api.openai.com/v1',
      },
      files: { '.qwen/settings.json': '{"privacy":{"usageStatisticsEnabled":false}}' },
      hosts: ['api.openai.com'],
      calls: [call, call],
      shell: { tool: 'run_shell_command', input: (command) => ({ command, is_background: false }), args: ['--yolo'] },
    },
  ],
};

import { type Agent, quiet } from '../agent.js';

const shared = { provider: 'google', protocol: 'http/1.1', finishReasons: ['STOP'], session: [] } as const;

/** Whichever of its two ways of routing asks: by a score of 1 to 100, or by a name. */
const routing = JSON.stringify({
  complexity_reasoning: 'It is one word.',
  complexity_score: 10,
  reasoning: 'It is one word.',
  model_choice: 'flash',
});

/** A script. Unless told a model it asks a small one first which to take, and waits until that has said it in JSON. */
export const geminiCli: Agent = {
  name: 'Gemini CLI',
  package: '@google/gemini-cli',
  version: '0.61.0',
  program: 'node_modules/@google/gemini-cli/bundle/gemini.js',
  isScript: true,
  ways: [
    {
      title: 'gemini -p',
      args: (prompt) => ['--skip-trust', '-p', prompt],
      env: { ...quiet, GEMINI_API_KEY: 'gem-example' },
      files: { '.gemini/settings.json': '{"privacy":{"usageStatisticsEnabled":false}}' },
      hosts: ['generativelanguage.googleapis.com'],
      answerAside: ({ model }) => (model.endsWith('-flash-lite') ? routing : null),
      calls: [
        { ...shared, api: 'generateContent', stream: false, requestedModel: 'gemini-3.5-flash-lite' },
        { ...shared, api: 'streamGenerateContent', stream: true, requestedModel: 'gemini-3.8-flash' },
      ],
      shell: { tool: 'run_shell_command', input: (command) => ({ command }), args: ['--yolo'] },
    },
  ],
};

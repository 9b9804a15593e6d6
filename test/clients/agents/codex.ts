import type { Reply, Route } from '../../../examples/provider/provider.js';
import { type Agent, type ExpectedCall, quiet } from '../agent.js';

const model = 'gpt-5.4';
const session = ['session-id', 'thread-id', 'x-codex-turn-metadata', 'prompt_cache_key'];
const overSocket: ExpectedCall = {
  provider: 'openai',
  api: 'responses',
  protocol: 'websocket',
  stream: true,
  requestedModel: model,
  finishReasons: ['completed'],
  session: [...session, 'previous_response_id'],
};
const overHttp: ExpectedCall = { ...overSocket, protocol: 'h2', session };

const exec = (...options: string[]) => {
  const set = options.flatMap((option) => ['-c', option]);
  return (prompt: string) => ['exec', '--skip-git-repo-check', '-m', model, ...set, prompt];
};
const shell = {
  tool: 'exec_command',
  input: (cmd: string) => ({ cmd }),
  args: ['--dangerously-bypass-approvals-and-sandbox'],
};
const byKey = { ...quiet, CODEX_API_KEY: 'sk-example' };

/** A login of ChatGPT's, with tokens nobody has signed: `auth.json` as Codex writes it. */
function makeLogin(): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const account = { chatgpt_plan_type: 'pro', chatgpt_user_id: 'user-example', chatgpt_account_id: 'account-example' };
  const claims = { email: 'someone@example.com', exp: 4_102_444_800, 'https://api.openai.com/auth': account };
  const token = [{ alg: 'none', typ: 'JWT' }, claims, 'unsigned'].map(encode).join('.');
  const tokens = { id_token: token, access_token: token, refresh_token: 'example', account_id: 'account-example' };
  const login = { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, last_refresh: new Date().toISOString() };
  return JSON.stringify(login);
}

function say(value: unknown): () => Reply {
  const unbilled = { model: '', responseId: null, bill: null, tellsBill: false };
  return () => ({ ...unbilled, contentType: 'application/json', body: JSON.stringify(value) });
}

/** Without `accounts/check` Codex asks no model: it would not know where its account's workspace is. */
const routes: readonly Route[] = [
  {
    api: 'accounts',
    method: 'GET',
    path: /^\/backend-api\/wham\/accounts\/check$/u,
    answer: say({
      accounts: [
        {
          id: 'account-example',
          plan_type: 'pro',
          structure: 'personal',
          workspace_backend_origin: 'https://chatgpt.com',
          account_routing_override: 'NO_CONSTRAINT',
        },
      ],
      account_ordering: ['account-example'],
    }),
  },
  { api: 'models', method: 'GET', path: /^\/backend-api\/codex\/models$/u, answer: say({ models: [] }) },
];

const ownProvider =
  'model_providers.own={name="own",base_url="https://api.openai.com/v1",env_key="CODEX_API_KEY",wire_api="responses"}';
const withoutSockets =
  'model_providers.own={name="OpenAI",base_url="https://chatgpt.com/backend-api/codex",wire_api="responses",requires_openai_auth=true,supports_websockets=false}';

/**
 * A native program, behind a script. Sources: the npm package @openai/codex 0.171.0, and `codex-rs/login/src/auth/storage.rs`
 * and `codex-rs/backend-client` of https://github.com/openai/codex (read 2026-11-27).
 */
export const codex: Agent = {
  name: 'Codex',
  package: '@openai/codex',
  version: '0.171.0',
  program: 'node_modules/@openai/codex/bin/codex.js',
  isScript: true,
  ways: [
    {
      title: 'codex exec',
      args: exec(),
      env: byKey,
      hosts: ['api.openai.com', 'chatgpt.com'],
      routes,
      calls: [overSocket],
      shell,
    },
    {
      title: 'codex exec, WebSockets refused',
      args: exec(),
      env: byKey,
      hosts: ['api.openai.com', 'chatgpt.com'],
      routes,
      refusesSockets: true,
      calls: [overHttp],
    },
    {
      title: 'codex exec, a provider of HTTP',
      args: exec(ownProvider, 'model_provider=own'),
      env: byKey,
      hosts: ['api.openai.com', 'chatgpt.com'],
      routes,
      calls: [overHttp],
    },
    {
      title: 'codex exec, signed in with ChatGPT',
      args: exec(),
      env: quiet,
      files: { '.codex/auth.json': makeLogin() },
      hosts: ['chatgpt.com'],
      routes,
      calls: [{ ...overSocket, provider: 'chatgpt-codex' }],
    },
    {
      title: 'codex exec, signed in with ChatGPT, over HTTP',
      args: exec(withoutSockets, 'model_provider=own'),
      env: quiet,
      files: { '.codex/auth.json': makeLogin() },
      hosts: ['chatgpt.com'],
      routes,
      calls: [{ ...overHttp, provider: 'chatgpt-codex', coding: 'zstd' }],
      shell,
    },
  ],
};

/**
 * The main job of llmtap on one machine and without any account: `npm run demo`.
 *
 * Opens a small model provider on loopback, runs agents that know nothing of llmtap through `llmtap run`, each in a
 * process of its own, and prints what was recorded. Ends with status 1 when a recorded number is not what the provider
 * billed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findDifferences, sumTokens } from './demo/compare.js';
import { sayCommand, sayDetail, sayFailure, sayStep, saySuccess } from './demo/narrator.js';
import { Processes } from './demo/processes.js';
import { openExampleProvider } from './provider/provider.js';

const runId = 'demo';
const root = fileURLToPath(new URL('..', import.meta.url));
const llmtap = join(root, 'bin', 'llmtap.js');
const processes = new Processes();

/** Slow enough to be seen streaming. */
const pauseMs = 15;

/** Whoever starts the demo may have accounts, proxies and another tap; none of them is to be used. */
const foreign =
  /^(?:LLMTAP_.*|.*_BASE_URL|https?_proxy|all_proxy|no_proxy|GOOGLE_GENAI_.*|(?:OPENAI|ANTHROPIC|GEMINI|GOOGLE)_.*)$/iu;

/** @param {string} home of llmtap, thrown away afterwards */
function makeEnv(home) {
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const keys = { OPENAI_API_KEY: 'example-key', ANTHROPIC_API_KEY: 'example-key', GEMINI_API_KEY: 'example-key' };
  return { ...Object.fromEntries(own), ...keys, LLMTAP_HOME: home };
}

/**
 * The agents: each with the options that lead it to the example provider instead of the real one.
 *
 * @param {{ port: number, localPort: number, caPath: string }} provider
 */
function listAgents({ port, localPort, caPath }) {
  const divert = (host) => [
    ['--connect-to', `${host}:443:127.0.0.1:${port}`],
    ['--upstream-ca', caPath],
  ];
  const local = `http://localhost:${localPort}`;
  return [
    { name: 'openai-agent', options: divert('api.openai.com'), command: ['node', 'openai-agent.js'] },
    { name: 'anthropic-agent', options: divert('api.anthropic.com'), command: ['node', 'anthropic-agent.js'] },
    {
      name: 'gemini-agent',
      options: divert('generativelanguage.googleapis.com'),
      command: ['node', 'gemini-agent.js'],
    },
    { name: 'python-agent', options: divert('api.openai.com'), command: ['python3', 'python-agent.py'] },
    {
      name: 'local-model-agent',
      options: [['--provider', `local=${local}`]],
      command: ['node', 'local-model-agent.js', `${local}/v1`],
    },
  ];
}

/** Runs one agent through llmtap. Throws when it does not end well. */
async function runAgent({ name, options, command: [program, file, ...args] }, env) {
  const script = join(root, 'examples', 'agents', file);
  const flags = ['run', '--quiet', '--run-id', runId, '--config-key', name];
  sayStep(`${name} calls its models`);
  const shownAgent = [program, relative(process.cwd(), script), ...args].join(' ');
  sayCommand([`llmtap ${flags.join(' ')}`, ...options.map((option) => option.join(' ')), `-- ${shownAgent}`]);
  const agent = [program === 'node' ? process.execPath : program, script, ...args];
  const status = await processes.run([process.execPath, llmtap, ...flags, ...options.flat(), '--', ...agent], env);
  if (status !== 0) throw new Error(`${name} ended with status ${status}.`);
}

/** Runs what there is to run and checks what is on record. */
async function demonstrate(folder) {
  // Made by the code that makes llmtap's own certificates, which exists once the project is built.
  const { makeExampleCertificates } = await import('./provider/certificates.js');
  const tls = await makeExampleCertificates(folder);
  const provider = await openExampleProvider({ tls, pauseMs, compress: true });
  const local = await openExampleProvider({ pauseMs });
  try {
    sayStep('A model provider opens on this machine');
    sayDetail(`OpenAI, Anthropic and Gemini at ${provider.url}, a local model at ${local.url}`);
    sayDetail('A token is a word, and each call is billed: the bills are checked at the end.');
    const env = makeEnv(join(folder, 'home'));
    for (const agent of listAgents({ port: provider.port, localPort: local.port, caPath: tls.caPath })) {
      if (hasProgram(agent.command[0])) await runAgent(agent, env);
      else sayDetail(`${agent.command[0]} is not installed: ${agent.name} is left out.`);
    }
    return await check([...provider.requests, ...local.requests], env);
  } finally {
    await Promise.all([provider.close(), local.close()]);
  }
}

/** @param {string | undefined} program */
function hasProgram(program) {
  return program === 'node' || spawnSync(program ?? '', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Prints the summary and holds the records against the bills.
 *
 * @param {readonly import('./provider/provider.js').SeenRequest[]} requests
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} the demo's exit status
 */
async function check(requests, env) {
  sayStep('What llmtap recorded');
  sayCommand([`llmtap summary --run ${runId}`]);
  const status = await processes.run([process.execPath, llmtap, 'summary', '--run', runId], env);
  if (status !== 0) throw new Error(`llmtap summary ended with status ${status}.`);
  const lines = await processes.read([process.execPath, llmtap, 'calls', '--run', runId, '--json'], env);
  const records = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const differences = findDifferences(requests, records);
  const billed = requests.filter(({ bill }) => bill !== null);
  if (billed.length === 0) differences.push('The provider has billed nothing: no agent reached it.');
  for (const difference of differences) sayFailure(difference);
  if (differences.length > 0) return 1;
  const asked = billed.filter(({ asksForUsage }) => asksForUsage).length;
  saySuccess(`${billed.length} calls, ${sumTokens(billed)} tokens: every number on record is the one that was billed.`);
  sayDetail(`${asked} streams would not have told their usage; llmtap asked for it, and the agents did not notice.`);
  return 0;
}

async function main() {
  if (!existsSync(join(root, 'dist', 'cli', 'main.js'))) {
    sayFailure('The project is not built yet. Run `npm run demo`, which builds it first.');
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'llmtap-demo-'));
  /** @type {NodeJS.Signals | null} */
  let stoppedBy = null;
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      stoppedBy ??= signal;
      processes.stop();
    });
  }
  try {
    return await demonstrate(folder);
  } catch (error) {
    if (stoppedBy !== null) return 128 + constants.signals[stoppedBy];
    sayFailure(`The demo could not go on: ${error.message}`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

process.exitCode = await main();

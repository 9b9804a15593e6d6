import { runBounded } from '../run/run-bounded.js';
import type { Agent } from './agents.js';
import { findProgram } from './find-program.js';
import { findPackageVersion, findVersionText } from './find-version.js';
import { judgeAbsent } from './judge-canary.js';
import { type Lab, pickGiven } from './lab.js';
import type { AgentReport } from './report.js';

const versionDeadlineMs = 10_000;
/** What a program needs to start at all; keys and accounts are not among it. */
const neededNames = ['PATH', 'Path', 'PATHEXT', 'SystemRoot', 'ComSpec', 'LANG', 'LC_ALL', 'TMPDIR', 'TEMP', 'TMP'];
/** A port nothing listens on: who looks for an update finds none. */
const nowhere = 'http://127.0.0.1:1';

/** An agent and its version, by the package it came in, else by `--version` in a home of its own, without a network. */
export async function findAgent(agent: Agent, lab: Lab): Promise<AgentReport> {
  const { name, trial } = agent;
  const program = findProgram([name], lab.env);
  const common = { name, program: name, client: null, durationMs: null, trial: `llmtap run -- ${trial}` };
  if (program === undefined) return { ...common, path: null, version: null, ...judgeAbsent('not on the PATH') };
  const { path } = program;
  return {
    ...common,
    path,
    version: findPackageVersion(path) ?? (await askVersion(path, name, lab)),
    verdict: 'untried',
    level: 'ok',
    message: 'not tried: it would call its model with your account',
    fix: null,
  };
}

async function askVersion(path: string, name: string, lab: Lab): Promise<string | null> {
  const cwd = lab.makeFolder(`agent-${name}`);
  const kept = Object.fromEntries(neededNames.map((needed) => [needed, lab.env[needed]]));
  const closed = { HTTPS_PROXY: nowhere, https_proxy: nowhere, HTTP_PROXY: nowhere, http_proxy: nowhere };
  const env = { ...pickGiven(kept), ...closed, HOME: cwd, USERPROFILE: cwd, TERM: 'dumb', DISABLE_AUTOUPDATER: '1' };
  const asked = { command: path, args: ['--version'], input: '', env, cwd, signal: lab.signal };
  const end = await runBounded({ ...asked, deadlineMs: versionDeadlineMs });
  return end.status === 0 ? findVersionText(end.head) : null;
}

import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../e2e/lab.js';
import type { Agent } from './agent.js';

const limitMs = 300_000;

/**
 * Where agents are kept from one run of the suite to the next: a folder that only this user can write to, since what
 * is in it is executed. `LLMTAP_CLIENTS_CACHE` names another.
 */
function openCache(): string {
  const { uid } = userInfo();
  const folder = process.env.LLMTAP_CLIENTS_CACHE ?? join(tmpdir(), `llmtap-clients-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) throw new Error(`${folder} belongs to someone else.`);
  return folder;
}

/**
 * Installs an agent by npm, without anyone's lifecycle scripts but its own where it needs it, unless it is there
 * already. Returns the folder; throws with the reason it cannot be had.
 */
export async function installAgent(agent: Agent): Promise<string> {
  const wanted = `${agent.package}@${agent.version}`;
  const folder = join(openCache(), wanted.replaceAll(/[@/]/g, '_'));
  const done = join(folder, 'installed.txt');
  if (readText(done) === wanted) return folder;
  mkdirSync(folder, { recursive: true });
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--no-package-lock',
    '--engine-strict=false',
    '--loglevel=error',
  ];
  await run(['npm', 'install', '--prefix', folder, '--ignore-scripts', ...quiet, wanted], folder);
  if (agent.setUp !== undefined) await run(agent.setUp, join(folder, 'node_modules', agent.package));
  writeFileSync(done, wanted);
  return folder;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function run(command: readonly string[], cwd: string): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { status, stdout, stderr } = await runChild(command, { env, cwd, limitMs });
  if (status === 0) return;
  const said = `${stderr}${stdout}`.trim().split('\n').slice(0, 5).join(' ');
  throw new Error(`${command.slice(0, 2).join(' ')} ended with ${status}: ${said}`);
}

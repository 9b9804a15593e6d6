import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import type { Fault } from '../../core/events.js';
import { openTap } from '../run/open-tap.js';
import { readTapPlan } from '../session-flags.js';
import { makeOk, makeProblem } from './checks.js';
import type { Lab } from './lab.js';
import type { Check } from './report.js';

const connectDeadlineMs = 5000;

/**
 * Opens a tap as `llmtap run` does with the user's own variables, but in the lab's home, and knocks at its door: says
 * whether those variables can be used, whether SQLite works, and whether a port on loopback can be opened and reached.
 */
export async function checkTap(lab: Lab): Promise<readonly Check[]> {
  const faults: Fault[] = [];
  try {
    const plan = await readTapPlan({}, { ...lab.env, LLMTAP_HOME: join(lab.folder, 'tap') });
    const tap = await openTap(plan, { env: lab.env, onFault: (fault) => faults.push(fault) });
    try {
      await knock(tap.variables.HTTPS_PROXY ?? '');
    } finally {
      await tap.close();
    }
    return [makeOk('tap', `A session opens; ${describeProxies(lab)}.`), judgeDatabase(faults)];
  } catch (error) {
    return [makeProblem('tap', error)];
  }
}

function describeProxies({ env }: Lab): string {
  const named = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].filter((name) => env[name] || env[name.toLowerCase()]);
  // A value may hold a password.
  return named.length === 0 ? 'you have no proxy of your own' : `your own proxy of ${named.join(', ')} is chained to`;
}

/** A ledger that cannot be opened is a fault of the tap's, not an error: programs run all the same. */
function judgeDatabase(faults: readonly Fault[]): Check {
  const fault = faults.find(({ code }) => code.startsWith('STORE_'));
  if (fault === undefined) return makeOk('database', 'SQLite works (better-sqlite3).');
  return { name: 'database', level: 'problem', message: fault.message, hint: fault.hint };
}

async function knock(proxyUrl: string): Promise<void> {
  const { hostname, port } = new URL(proxyUrl);
  const socket = net.connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectDeadlineMs) });
  } finally {
    socket.destroy();
  }
}

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { Fault } from '../../core/events.js';
import { endSentence } from '../print-error.js';
import { openTap, type Tap } from '../run/open-tap.js';
import { runBounded } from '../run/run-bounded.js';
import type { TapPlan } from '../session-flags.js';
import type { Canary, CanaryCommand } from './canaries.js';
import { canaryHost } from './canary-provider.js';
import type { FoundProgram } from './find-program.js';
import { findCanaryVersion, findVersionText } from './find-version.js';
import { type Judgement, judgeCanary } from './judge-canary.js';
import { type Env, type Lab, pickGiven } from './lab.js';

/** A canary's judgement and what was learnt on the way. */
export interface CanaryTrial extends Judgement {
  readonly version: string | null;
  readonly durationMs: number | null;
}

const usualDeadlineMs = 15_000;
const versionDeadlineMs = 5000;

/** Runs a canary through a session of its own and looks for its call in the ledger. Never rejects. */
export async function tryCanary(canary: Canary, program: FoundProgram, lab: Lab): Promise<CanaryTrial> {
  const nonce = `canary-${randomBytes(4).toString('hex')}`;
  const faults: Fault[] = [];
  try {
    const tap = await openTap(makePlan(canary, lab), {
      env: lab.env,
      hostEnv: lab.hostEnv,
      onFault: (fault) => faults.push(fault),
    });
    const deadlineMs = lab.deadlineMs ?? canary.deadlineMs ?? usualDeadlineMs;
    const { end, version } = await runThrough(tap, { canary, program, nonce, deadlineMs, lab });
    const facts = {
      isRecorded: await isRecorded(lab.home, tap.session.sessionId, nonce),
      hasArrived: lab.provider.hasGot(nonce),
      hiddenBy: await findHidingEntry(lab.env),
      ...{ faults, end, deadlineMs },
    };
    return { ...judgeCanary(canary, facts), version, durationMs: end.durationMs };
  } catch (error) {
    const hint = error instanceof TrackerError ? error.hint : null;
    const fix = [endSentence(readErrorMessage(error)), hint].filter((text) => text !== null).join(' ');
    const message = 'not tried: no session could be opened for it';
    // `--with java` needs a JDK's keytool: the program's want, not llmtap's.
    const level = canary.withJava ? 'warning' : 'problem';
    return { verdict: 'untried', level, message, fix, version: null, durationMs: null };
  }
}

interface Trial {
  readonly canary: Canary;
  readonly program: FoundProgram;
  readonly nonce: string;
  readonly deadlineMs: number;
  readonly lab: Lab;
}

/** The canary's run under the tap, which is closed after it: what is in doubt until then is said by its faults. */
async function runThrough(tap: Tap, { canary, program, nonce, deadlineMs, lab }: Trial) {
  try {
    tap.warm();
    const cwd = lab.makeFolder(canary.name);
    const call = { url: `https://${canaryHost}/v1/chat/completions`, body: makeBody(nonce), nonce };
    const { args, input = '', files = {}, env = {} }: CanaryCommand = canary.makeCommand(call);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    const common = { command: program.path, cwd, signal: lab.signal };
    const told = { LLMTAP_CANARY_URL: call.url, LLMTAP_CANARY_BODY: call.body };
    const childEnv = pickGiven({ ...lab.env, ...tap.variables, ...env, ...told });
    const end = await runBounded({ ...common, args, input, env: childEnv, deadlineMs });
    const asks = canary.versionArgs !== undefined && !end.isLate;
    return { end, version: asks ? await askVersion(canary.versionArgs, common, lab) : findCanaryVersion(end.head) };
  } finally {
    await tap.close();
  }
}

async function askVersion(
  args: readonly string[],
  common: { readonly command: string; readonly cwd: string; readonly signal: AbortSignal },
  lab: Lab,
): Promise<string | null> {
  const env = pickGiven(lab.env);
  const end = await runBounded({ ...common, args, input: '', env, deadlineMs: versionDeadlineMs });
  return end.status === 0 ? findVersionText(end.head) : null;
}

function makePlan(canary: Canary, lab: Lab): TapPlan {
  return {
    host: {
      home: lab.home,
      connectTo: [`${canaryHost}:443:127.0.0.1:${lab.provider.port}`],
      upstreamCa: lab.provider.caPath,
      providers: [{ name: 'canary', baseUrl: `https://${canaryHost}/v1` }],
    },
    session: { command: ['llmtap', 'doctor', canary.name] },
    java: canary.withJava === true,
  };
}

function makeBody(nonce: string): string {
  return JSON.stringify({ model: 'canary', messages: [{ role: 'user', content: nonce }] });
}

async function isRecorded(home: string, sessionId: string, nonce: string): Promise<boolean> {
  const { openLedgerReader } = await import('../../storage/ledger-reader.js');
  const ledger = openLedgerReader({ home });
  try {
    const records = [...ledger.listCalls({ sessionId }, { bodies: true })];
    return records.some(({ outcome, requestBody }) => {
      return outcome === 'ok' && (JSON.stringify(requestBody) ?? '').includes(nonce);
    });
  } finally {
    ledger.close();
  }
}

/** An entry of the user's that would keep the canary direct, as `*` does. */
async function findHidingEntry(env: Env): Promise<string | null> {
  const { findHiddenHosts, makeNoProxy } = await import('../../activation/no-proxy.js');
  const noProxy = makeNoProxy({ previous: [env.NO_PROXY, env.no_proxy], registered: [] });
  return noProxy.split(',').find((entry) => findHiddenHosts(entry, [canaryHost]).length > 0) ?? null;
}

import { accessSync, constants, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspectAuthority } from '../../ca/inspect-authority.js';
import { findHome } from '../../ca/paths.js';
import { findSystemCode, readErrorMessage, TrackerError } from '../../core/errors.js';
import { formatTime } from '../format/duration.js';
import { formatPlural } from '../format/number.js';
import { endSentence } from '../print-error.js';
import type { Env } from './lab.js';
import type { Check } from './report.js';

const dayMs = 86_400_000;
const hasModes = process.platform !== 'win32';

/** What went wrong, as a check's result. */
export function makeProblem(name: string, error: unknown): Check {
  const hint = error instanceof TrackerError ? error.hint : null;
  return { name, level: 'problem', message: endSentence(readErrorMessage(error)), hint };
}

export function makeOk(name: string, message: string): Check {
  return { name, level: 'ok', message, hint: null };
}

/** Runs one check; what it throws is its result. */
async function check(name: string, look: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    return makeProblem(name, error);
  }
}

/** The checks that look and change nothing, in the order of the table. */
export async function checkQuietly(env: Env): Promise<readonly Check[]> {
  return [
    await check('node', () => checkNode(process.versions.node)),
    await check('clock', () => checkClock()),
    ...(await checkFiles(env)),
    await check('no-proxy', () => checkNoProxy(env)),
  ];
}

/** What stands in a home that cannot be used is not asked for. */
async function checkFiles(env: Env): Promise<readonly Check[]> {
  const home = await check('home', () => checkHome(findHome(env)));
  if (home.level === 'problem') return [home];
  return [
    home,
    await check('ca', () => checkAuthority(findHome(env), Date.now())),
    await check('ledger', () => checkLedger(findHome(env))),
  ];
}

/** The least version of `engines` in package.json. */
const leastNode = [20, 18, 1] as const;

/** @param version such as `20.18.1` */
export function checkNode(version: string): Check {
  const parts = version.split('.').map(Number);
  const at = leastNode.findIndex((least, index) => parts[index] !== least);
  if (at === -1 || (parts[at] ?? 0) > (leastNode[at] ?? 0)) return makeOk('node', `Node ${version} runs llmtap.`);
  const hint = `Install Node ${leastNode.join('.')} or later.`;
  return { name: 'node', level: 'problem', message: `Node ${version} is too old for llmtap.`, hint };
}

const clockHint = 'Set the clock of this machine: certificates and times on record depend on it.';
const mostSkewMs = 60_000;

/** The clock against this package's own files, which are older than now, and against that of the temporary folder. */
export function checkClock(nowMs = Date.now()): Check {
  const builtAtMs = statSync(new URL(import.meta.url)).mtimeMs;
  const now = formatTime(new Date(nowMs).toISOString());
  if (nowMs < builtAtMs - dayMs) {
    const message = `The clock says ${now}, which is before llmtap was installed.`;
    return { name: 'clock', level: 'problem', message, hint: clockHint };
  }
  const skewMs = Math.abs((findFileClock() ?? nowMs) - nowMs);
  if (skewMs > mostSkewMs) {
    const message = `The clock says ${now}, a file just written ${formatPlural(Math.round(skewMs / 1000), 'second')} off.`;
    return { name: 'clock', level: 'warning', message, hint: clockHint };
  }
  return makeOk('clock', `The clock says ${now}.`);
}

/** `undefined` where no file can be written, which another check says. */
function findFileClock(): number | undefined {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'llmtap-doctor-'));
    const file = join(folder, 'clock');
    writeFileSync(file, '');
    return statSync(file).mtimeMs;
  } catch {
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

const homeHint = 'Set LLMTAP_HOME to a folder of your own that can be written to, or mend the rights of this one.';

function checkHome(home: string): Check {
  const stats = statSync(home, { throwIfNoEntry: false });
  if (stats === undefined) return checkAbsentHome(home);
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const message = `The home folder ${home} cannot be used: ${findSystemCode(error) ?? 'no access'}.`;
    return { name: 'home', level: 'problem', message, hint: homeHint };
  }
  const mode = stats.mode & 0o777;
  if (hasModes && (mode & 0o077) !== 0) {
    const message = `The home folder ${home} has mode ${formatMode(mode)}: others of this machine can look into it.`;
    return { name: 'home', level: 'warning', message, hint: `Take it for yourself: chmod 700 '${home}'` };
  }
  return makeOk('home', `The home folder is ${home}${hasModes ? ` (mode ${formatMode(mode)})` : ''}.`);
}

function checkAbsentHome(home: string): Check {
  let above = dirname(home);
  while (statSync(above, { throwIfNoEntry: false }) === undefined && above !== dirname(above)) above = dirname(above);
  try {
    accessSync(above, constants.W_OK | constants.X_OK);
  } catch {
    const message = `The home folder ${home} does not exist and cannot be made: ${above} may not be written to.`;
    return { name: 'home', level: 'problem', message, hint: homeHint };
  }
  return makeOk('home', `The home folder ${home} will be made when it is first used.`);
}

function formatMode(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}

const renewedDays = 30;

/** Whether the CA can be used, and until when; it is left as it is. */
export function checkAuthority(home: string, nowMs: number): Check {
  const state = inspectAuthority(home);
  if (state === undefined) return makeOk('ca', 'The CA will be made when it is first used.');
  const until = `valid until ${formatTime(state.notAfter)}`;
  if (nowMs < Date.parse(state.notBefore)) {
    const message = `The CA is valid only from ${formatTime(state.notBefore)} on, and will be made anew.`;
    return { name: 'ca', level: 'warning', message, hint: clockHint };
  }
  if (nowMs > Date.parse(state.notAfter) - renewedDays * dayMs) {
    const hint = 'Whoever was told by hand to trust the old one must be told again: llmtap ca path';
    return { name: 'ca', level: 'warning', message: `The CA is ${until}: the next run makes a new one.`, hint };
  }
  if (hasModes && (state.keyMode & 0o077) !== 0) {
    const message = `The CA is ${until}; its key has mode ${formatMode(state.keyMode)}, so others of this machine can read it.`;
    return {
      name: 'ca',
      level: 'problem',
      message,
      hint: 'Make a new one, for this key may be known: llmtap ca reset',
    };
  }
  return makeOk('ca', `The CA is ${until}.`);
}

/** NOTE: a ledger of an older version is brought up to date by being opened, as by every other command. */
async function checkLedger(home: string): Promise<Check> {
  const { openLedgerReader } = await import('../../storage/ledger-reader.js');
  const ledger = openLedgerReader({ home });
  try {
    const { calls, path } = ledger.info();
    return makeOk('ledger', `The ledger ${path} holds ${formatPlural(calls, 'call')}.`);
  } finally {
    ledger.close();
  }
}

async function checkNoProxy(env: Env): Promise<Check> {
  const [{ explainHiddenHosts }, { makeNoProxy }, registered] = await Promise.all([
    import('../../activation/hidden-hosts.js'),
    import('../../activation/no-proxy.js'),
    findRegistered(env),
  ]);
  const noProxy = makeNoProxy({ previous: [env.NO_PROXY, env.no_proxy], registered });
  const explained = explainHiddenHosts(noProxy, registered);
  if (explained !== undefined) return { name: 'no-proxy', level: 'warning', ...explained };
  return makeOk('no-proxy', 'NO_PROXY hides no provider.');
}

/** Origins in `LLMTAP_PROVIDERS`; none where it cannot be read, which another check says. */
async function findRegistered(env: Env) {
  const [{ readList }, { readProviderFlag }, { readRegistration }] = await Promise.all([
    import('../read-flags.js'),
    import('../../providers/read-provider-flag.js'),
    import('../../providers/registration.js'),
  ]);
  try {
    return readList(env.LLMTAP_PROVIDERS).map((text) => readRegistration(readProviderFlag(text)).origin);
  } catch {
    return [];
  }
}

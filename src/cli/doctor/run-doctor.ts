import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { CliIo } from '../io.js';
import { openProgress } from '../progress.js';
import { guardProcess } from '../run/guard-process.js';
import { readVersion } from '../version.js';
import { agents } from './agents.js';
import { canaries } from './canaries.js';
import { checkTap } from './check-tap.js';
import { checkQuietly, makeProblem } from './checks.js';
import { watchInterrupts } from './interrupts.js';
import { type Lab, type LabOptions, openLab } from './lab.js';
import { type AgentReport, type Check, type DoctorReport, findWorst, type ProgramReport } from './report.js';
import { examineAll, makeAgentPatient, makeRuntimePatient, type Patient } from './try-programs.js';

/** Which programs to look at. */
export interface Choice {
  readonly runtimes: readonly Patient[];
  readonly agents: readonly Patient<AgentReport>[];
}

/** Either a whole report, or the exit status of a signal that ended it before. */
export type DoctorEnd = { readonly report: DoctorReport } | { readonly report: null; readonly status: number };

/**
 * The programs `only` names, by their own name or by the part before `-` (`python` for all of Python's); all when it is
 * absent. Throws `OPTION_INVALID`.
 */
export function choosePrograms(only?: readonly string[]): Choice {
  const all = { runtimes: canaries.map(makeRuntimePatient), agents: agents.map(makeAgentPatient) };
  if (only === undefined) return all;
  const known = [...all.runtimes, ...all.agents];
  const unknown = only.length === 0 ? '' : only.find((name) => !known.some((patient) => isNamed(patient, name)));
  if (unknown !== undefined) {
    throw new TrackerError('OPTION_INVALID', `The value "${unknown}" of --only names no program llmtap can try.`, {
      hint: `Use one or more of ${[...new Set(known.flatMap(({ name }) => [name.split('-')[0] ?? name, name]))].join(', ')}.`,
    });
  }
  const pick = <P extends Patient>(patients: readonly P[]) =>
    patients.filter((patient) => only.some((name) => isNamed(patient, name)));
  return { runtimes: pick(all.runtimes), agents: pick(all.agents) };
}

function isNamed({ name }: Patient, asked: string): boolean {
  return name === asked || name.startsWith(`${asked}-`);
}

export interface DoctorRequest {
  readonly choice: Choice;
  /** For each program; its own usual one when absent. */
  readonly deadlineMs: number | undefined;
}

/** Looks at this machine. Everything it makes is gone when it returns, also after SIGINT, SIGTERM or SIGHUP. */
export async function runDoctor(request: DoctorRequest, io: CliIo): Promise<DoctorEnd> {
  const progress = openProgress(io);
  const interrupts = watchInterrupts();
  const unforeseen: Check[] = [];
  const releaseProcess = guardProcess(({ message, hint }) => {
    unforeseen.push({ name: 'llmtap', level: 'problem', message, hint });
  });
  try {
    progress.show('Looking at llmtap’s own files …');
    const quiet = await checkQuietly(io.env);
    const { deadlineMs } = request;
    const tried = await useLab({ env: io.env, signal: interrupts.signal, deadlineMs }, async (lab) => {
      const onProgress = (name: string, done: number, total: number) =>
        progress.show(`Trying ${name} … (${done} of ${total} done)`);
      return {
        checks: await checkTap(lab),
        runtimes: await examineAll(request.choice.runtimes, { lab, onProgress }),
        agents: await examineAll(request.choice.agents, { lab, onProgress }),
      };
    });
    const status = interrupts.status();
    if (status !== null) return { report: null, status };
    return { report: makeReport({ ...tried, checks: [...quiet, ...tried.checks, ...unforeseen] }) };
  } finally {
    progress.clear();
    releaseProcess();
    interrupts.stop();
  }
}

interface Tried {
  readonly checks: readonly Check[];
  readonly runtimes: readonly ProgramReport[];
  readonly agents: readonly AgentReport[];
}

/** Where there is no room for a lab, nothing is tried. */
async function useLab(options: LabOptions, use: (lab: Lab) => Promise<Tried>): Promise<Tried> {
  let lab: Lab;
  try {
    lab = await openLab(options);
  } catch (error) {
    const message = `No program could be tried: ${readErrorMessage(error)}`;
    const hint = 'Check that the temporary folder (TMPDIR) can be written to and loopback can be listened on.';
    return { checks: [makeProblem('lab', new TrackerError('INTERNAL', message, { hint }))], runtimes: [], agents: [] };
  }
  try {
    return await use(lab);
  } finally {
    await lab.close();
  }
}

function makeReport(tried: Tried): DoctorReport {
  const levels = [...tried.checks, ...tried.runtimes, ...tried.agents].map(({ level }) => level);
  return { version: readVersion(), level: findWorst(levels), ...tried };
}

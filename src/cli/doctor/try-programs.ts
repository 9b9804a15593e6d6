import type { Agent } from './agents.js';
import type { Canary } from './canaries.js';
import { findAgent } from './find-agent.js';
import { findProgram } from './find-program.js';
import { judgeAbsent } from './judge-canary.js';
import type { Lab } from './lab.js';
import type { AgentReport, ProgramReport } from './report.js';
import { tryCanary } from './try-canary.js';

const mostAtOnce = 2;

/** One program to look at. */
export interface Patient<Report extends ProgramReport = ProgramReport> {
  readonly name: string;
  examine(lab: Lab): Promise<Report>;
}

export interface ExamineOptions {
  readonly lab: Lab;
  /** Told when a program is begun: its name, how many are done, and of how many. */
  readonly onProgress: (name: string, done: number, total: number) => void;
}

export function makeRuntimePatient(canary: Canary): Patient {
  return { name: canary.name, examine: (lab) => examineRuntime(canary, lab) };
}

export function makeAgentPatient(agent: Agent): Patient<AgentReport> {
  return { name: agent.name, examine: (lab) => findAgent(agent, lab) };
}

/** Their reports in the order given, two at a time. What is not begun when the lab's signal comes is left out. */
export async function examineAll<Report extends ProgramReport>(
  patients: readonly Patient<Report>[],
  { lab, onProgress }: ExamineOptions,
): Promise<readonly Report[]> {
  const reports: (Report | undefined)[] = patients.map(() => undefined);
  const waiting = patients.entries();
  let done = 0;
  const work = async () => {
    for (const [index, patient] of waiting) {
      if (lab.signal.aborted) return;
      onProgress(patient.name, done, patients.length);
      reports[index] = await patient.examine(lab);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, work));
  return reports.filter((report) => report !== undefined);
}

async function examineRuntime(canary: Canary, lab: Lab): Promise<ProgramReport> {
  const { name, client, commands } = canary;
  const found = findProgram(commands, lab.env);
  if (found === undefined) {
    const program = commands[0] ?? name;
    return { name, program, client, path: null, version: null, ...judgeAbsent('not on the PATH'), durationMs: null };
  }
  const trial = await tryCanary(canary, found, lab);
  return { name, program: found.command, client, path: found.path, ...trial };
}

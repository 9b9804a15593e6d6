import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { Fault } from '../../core/events.js';
import type { Summary } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { formatFaultReport, formatRunReport } from '../format/run-report.js';
import type { CliIo } from '../io.js';
import { printError } from '../print-error.js';
import type { TapPlan } from '../session-flags.js';
import { FaultCollector } from './collect-faults.js';
import { guardProcess } from './guard-process.js';
import { openTap, type Tap } from './open-tap.js';
import { runChild } from './run-child.js';
import { makeSummaryFile, requireWritable, writeSummaryFile } from './write-summary-file.js';

export interface RunRequest {
  readonly plan: TapPlan;
  readonly command: string;
  readonly args: readonly string[];
  readonly summaryJson?: string | undefined;
  readonly quiet: boolean;
}

/** How long closing may take after the child has ended; what is on disk by then is safe. */
const closeDeadlineMs = 5000;

/**
 * Runs a command under the tap and returns its exit status. Nothing is printed while the child owns the terminal.
 * The session ends when the child does: calls of processes it leaves behind are cut. Throws what keeps the tap from
 * opening; once the child runs nothing does.
 */
export async function runCommand(request: RunRequest, io: CliIo): Promise<number> {
  if (request.summaryJson !== undefined) requireWritable(request.summaryJson);
  const faults = new FaultCollector();
  const releaseProcess = guardProcess((fault) => faults.add(fault));
  try {
    const tap = await openTap(request.plan, { env: io.env, onFault: (fault) => faults.add(fault) });
    const startedAtMs = performance.now();
    const ending = runChild({ ...request, env: makeEnv(io.env, tap.variables) });
    // While the program loads its things, the tap loads its own.
    tap.warm();
    const end = await ending;
    const durationMs = performance.now() - startedAtMs;
    await closeTap(tap, { exitCode: end.status, onFault: (fault) => faults.add(fault) });
    if (end.error === null) await report(request, { tap, faults, durationMs, exitCode: end.status }, io);
    else printError(end.error, io);
    return end.status;
  } finally {
    releaseProcess();
  }
}

function makeEnv(
  inherited: Readonly<Record<string, string | undefined>>,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) if (value !== undefined) env[name] = value;
  return { ...env, ...variables };
}

interface CloseOptions {
  readonly exitCode: number;
  readonly onFault: (fault: Fault) => void;
}

async function closeTap(tap: Tap, { exitCode, onFault }: CloseOptions): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${closeDeadlineMs} ms`)), closeDeadlineMs);
  });
  try {
    await Promise.race([tap.close({ exitCode }), deadline]);
  } catch (error) {
    onFault({
      code: 'INTERNAL',
      message: `Could not close the session in order: ${readErrorMessage(error)}.`,
      hint: null,
      sessionId: tap.session.sessionId,
      at: new Date().toISOString(),
    });
  } finally {
    clearTimeout(timer);
  }
}

interface Ended {
  readonly tap: Tap;
  readonly faults: FaultCollector;
  readonly durationMs: number;
  readonly exitCode: number;
}

async function report(request: RunRequest, ended: Ended, io: CliIo): Promise<void> {
  const { tap, faults, durationMs, exitCode } = ended;
  const common = { session: tap.session, durationMs, counts: tap.counts() };
  const summary = await readSummary(request.plan.host.home, tap.session.sessionId, faults);
  const palette = makePalette(io.stderr, io.env);
  const text = { ...common, summary, faults: faults.list, faultsBeyond: faults.beyond, exitCode };
  io.stderr.write(
    request.quiet ? formatFaultReport(text, palette) : formatRunReport(text, palette, io.stderr.columns()),
  );
  if (request.summaryJson === undefined) return;
  try {
    const endedAt = new Date().toISOString();
    const file = makeSummaryFile({ ...common, summary, faults: faults.list, endedAt, exitCode });
    writeSummaryFile(request.summaryJson, file);
  } catch (error) {
    printError(error, io);
  }
}

/** From the ledger, so that it says what `llmtap summary` will say; `null` when that cannot be read. */
async function readSummary(home: string, sessionId: string, faults: FaultCollector): Promise<Summary | null> {
  try {
    const { openLedgerReader } = await import('../../storage/ledger-reader.js');
    const ledger = openLedgerReader({ home });
    try {
      return ledger.summarise({ sessionId });
    } finally {
      ledger.close();
    }
  } catch (error) {
    // A ledger that could not be written to said so already, in other words.
    if (!faults.list.some(({ fault }) => fault.code.startsWith('STORE_'))) faults.add(makeReadFault(error, sessionId));
    return null;
  }
}

function makeReadFault(error: unknown, sessionId: string): Fault {
  const { code, hint } = error instanceof TrackerError ? error : { code: 'STORE_FAILED' as const, hint: null };
  return { code, message: readErrorMessage(error), hint, sessionId, at: new Date().toISOString() };
}

import type { Summary } from '../../core/ledger.js';
import type { Session, SessionCounts } from '../../core/session.js';
import type { Palette } from '../colour.js';
import type { CountedFault } from '../run/collect-faults.js';
import { formatTable } from '../table.js';
import { formatDuration } from './duration.js';
import { formatFaults } from './faults.js';
import { fitColumns } from './fit-columns.js';
import { explainNothingCaptured } from './nothing-captured.js';
import { addTokenSums, formatCostSum, formatPlural } from './number.js';
import { explainRefused, formatSaved, makeFootnote, makeSummaryTable } from './summary.js';
import { wrapText } from './text.js';

export interface FaultReport {
  readonly faults: readonly CountedFault[];
  readonly faultsBeyond: number;
}

/** What a finished `llmtap run` has to tell. */
export interface RunReport extends FaultReport {
  readonly session: Session;
  readonly durationMs: number;
  readonly counts: SessionCounts;
  /** What the ledger holds of the session; `null` when it could not be read. */
  readonly summary: Summary | null;
  /** Of the program. */
  readonly exitCode: number;
}

/** Width of running text where no terminal sets one. */
const textWidth = 100;

/** The faults alone, which even a quiet run prints; empty when there is none. Ends with a line break. */
export function formatFaultReport({ faults, faultsBeyond }: FaultReport, palette: Palette): string {
  // The child's last line may lack its end.
  return faults.length === 0 ? '' : `\n${formatFaults(faults, faultsBeyond, palette)}`;
}

/** The text printed to stderr after the child has ended. Ends with a line break. */
export function formatRunReport(report: RunReport, palette: Palette, width: number | null): string {
  const { counts, session, summary } = report;
  const parts = [
    formatFaultReport(report, palette),
    '\n',
    `${palette.bold('llmtap')} ${formatPlural(counts.calls, 'model call')} in ${formatDuration(report.durationMs)}${formatCost(summary)} ${palette.dim(`· run ${session.runId}`)}\n`,
  ];
  if (counts.calls === 0) parts.push(formatNothing(report, width));
  if (summary !== null && summary.models.length > 0) {
    const table = fitColumns(makeSummaryTable(summary.models, palette), width);
    parts.push(`\n${formatTable(table, palette, width)}`);
    parts.push(formatNote(makeFootnote(table, summary.models), palette, width));
    parts.push(formatNote(formatSaved(summary.models), palette, width));
  }
  parts.push(formatNote(summary === null ? null : explainRefused(summary), palette, width));
  parts.push(formatNote(explainMissing(report), palette, width));
  if (summary !== null && summary.calls > 0) {
    parts.push(`\n${palette.dim('each call:')} llmtap calls --run ${quoteId(session.runId)}\n`);
  }
  return parts.join('');
}

/** Of all calls together; left out when none has a price, which the table tells. */
function formatCost(summary: Summary | null): string {
  const sum = addTokenSums((summary?.models ?? []).map((row) => row.costUsd));
  return sum.known === null ? '' : `, ${formatCostSum(sum)}`;
}

function formatNothing(report: RunReport, width: number | null): string {
  const { counts, exitCode } = report;
  const faults = report.faults.map((counted) => counted.fault);
  const paragraphs = explainNothingCaptured({ counts, faults, exitCode });
  return paragraphs.map((text) => `${wrapText(text, width ?? textWidth, '  ')}\n`).join('');
}

function explainMissing(report: RunReport): string | null {
  const missing = report.counts.calls - (report.summary?.calls ?? 0);
  if (missing <= 0) return null;
  return `${formatPlural(missing, 'call')} went through without being kept: the ledger could not be written or read.`;
}

function formatNote(note: string | null, palette: Palette, width: number | null): string {
  return note === null ? '' : `${palette.dim(wrapText(note, width ?? textWidth))}\n`;
}

/** The id as a shell takes it. */
function quoteId(runId: string): string {
  return /^[\w.:@/+-]+$/.test(runId) ? runId : `'${runId.replaceAll("'", "'\\''")}'`;
}

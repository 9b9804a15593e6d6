import type { Palette } from '../colour.js';
import type { AgentReport, Check, DoctorReport, Level, ProgramReport } from '../doctor/report.js';
import { formatTable } from '../table.js';
import { formatDuration } from './duration.js';
import type { Cell, Column, Table } from './fit-columns.js';
import { formatPlural, unknownMark } from './number.js';
import { readableLine, wrapText } from './text.js';

/** Width of running text where no terminal sets one. */
const textWidth = 100;

/** The text of `llmtap doctor`: what was looked at, what is seen of which program, what to do. Ends with a line break. */
export function formatDoctor(report: DoctorReport, palette: Palette, width: number | null): string {
  const there = report.runtimes.filter(({ verdict }) => verdict !== 'absent');
  const found = report.agents.filter(({ verdict }) => verdict !== 'absent');
  return [
    formatChecks(report.checks, palette, width),
    there.length === 0 ? '' : `\n${formatTable(makeProgramTable(there, palette), palette, width)}`,
    found.length === 0 ? '' : `\n${formatTable(makeAgentTable(found, palette), palette, width)}`,
    formatAbsent(report, palette, width),
    formatFixes(report, palette, width),
    `\n${formatVerdict(report, palette)}\n`,
  ].join('');
}

function formatChecks(checks: readonly Check[], palette: Palette, width: number | null): string {
  const names = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(names + 2 + 'warning'.length + 2);
  return checks
    .map(({ name, level, message }) => {
      const text = wrapText(readableLine(message), width ?? textWidth, indent).slice(indent.length);
      return `${name.padEnd(names)}  ${paintLevel(level, palette)(level.padEnd('warning'.length))}  ${text}\n`;
    })
    .join('');
}

const columns: readonly Column[] = [
  { title: 'program', align: 'left', rank: 0 },
  { title: 'client', align: 'left', rank: 0 },
  { title: 'version', align: 'left', rank: 2 },
  { title: 'took', align: 'right', rank: 3 },
  { title: 'what llmtap sees of it', align: 'left', rank: 0 },
];

function makeProgramTable(programs: readonly ProgramReport[], palette: Palette): Table {
  return { columns, rows: programs.map((program) => makeRow(program, palette)) };
}

function makeRow(program: ProgramReport, palette: Palette): readonly Cell[] {
  return [
    { text: readableLine(program.program), paint: palette.cyan },
    { text: program.client ?? '' },
    { text: program.version ?? unknownMark },
    { text: formatDuration(program.durationMs) },
    { text: readableLine(program.message), paint: paintLevel(program.level, palette) },
  ];
}

const agentColumns: readonly Column[] = [
  { title: 'agent', align: 'left', rank: 0 },
  { title: 'version', align: 'left', rank: 1 },
  { title: 'not tried: see for yourself', align: 'left', rank: 0 },
];

function makeAgentTable(agents: readonly AgentReport[], palette: Palette): Table {
  const rows = agents.map(({ program, version, trial }) => [
    { text: program, paint: palette.cyan },
    { text: version ?? unknownMark },
    { text: trial },
  ]);
  return { columns: agentColumns, rows };
}

function formatAbsent({ runtimes, agents }: DoctorReport, palette: Palette, width: number | null): string {
  const names = [...runtimes, ...agents].filter(({ verdict }) => verdict === 'absent').map(({ name }) => name);
  if (names.length === 0) return '';
  return `\n${palette.dim(wrapText(`Not found here: ${names.join(', ')}.`, width ?? textWidth))}\n`;
}

function formatFixes({ checks, runtimes }: DoctorReport, palette: Palette, width: number | null): string {
  const fixes = [
    ...checks.map(({ name, hint }) => ({ name, fix: hint })),
    ...runtimes.map(({ name, fix }) => ({ name, fix })),
  ].flatMap(({ name, fix }) => (fix === null ? [] : [`- ${name}: ${readableLine(fix)}`]));
  if (fixes.length === 0) return '';
  const lines = fixes.map((text) => `${wrapText(text, width ?? textWidth)}\n`);
  return `\n${palette.bold('what to do')}\n${lines.join('')}`;
}

function formatVerdict(report: DoctorReport, palette: Palette): string {
  const levels = [...report.checks, ...report.runtimes, ...report.agents].map(({ level }) => level);
  const count = (level: Level) => levels.filter((found) => found === level).length;
  const seen = report.runtimes.filter(({ verdict }) => verdict === 'seen').length;
  const calling = report.runtimes.filter(({ verdict }) => verdict !== 'absent' && verdict !== 'relayed').length;
  const sums = `${formatPlural(count('problem'), 'problem')}, ${formatPlural(count('warning'), 'warning')}`;
  const scope = calling === 0 ? '' : `; seen: ${seen} of ${formatPlural(calling, 'way')} to call a model`;
  return `${paintLevel(report.level, palette)(sums)}${scope}`;
}

function paintLevel(level: Level, palette: Palette): (text: string) => string {
  if (level === 'problem') return palette.red;
  return level === 'warning' ? palette.yellow : palette.green;
}

import type { CallRecord } from '../../src/core/call-record.js';
import type { Agent, Way } from './agent.js';
import type { Run } from './stage.js';

/** What was seen of one way of asking an agent. */
export interface Row {
  readonly agent: Agent;
  readonly way: Way;
  /** Why it was not tried; `null` when it was. */
  skipped: string | null;
  direct: Run | null;
  tapped: Run | null;
  /** What its shell asked is on record, too. */
  hasShell: boolean;
  /** What did not hold. */
  readonly broken: string[];
}

/** The rows as the README has them. */
export function formatTable(rows: readonly Row[]): string {
  const head =
    '| client | version | asked by | speaks | on record of one question | passed unrecorded | cost | took, direct → tapped | verdict |';
  return [head, head.replaceAll(/[^|]+/g, '---'), ...rows.map(formatRow)].join('\n');
}

function formatRow(row: Row): string {
  const { agent, way, tapped, direct } = row;
  const cells = [agent.name, agent.version, way.title];
  if (tapped === null) return toLine([...cells, '', '', '', '', '', row.skipped ?? 'failed']);
  const seconds = (run: Run | null): string => (run === null ? '?' : `${(run.tookMs / 1000).toFixed(1)} s`);
  return toLine([
    ...cells,
    describeSpeech(row, tapped),
    tapped.records.map(({ api, model }) => `${api} of ${model}`).join(', '),
    tapped.others.length === 0 ? 'nothing' : `${tapped.others.length} requests`,
    formatCost(tapped.records),
    `${seconds(direct)} → ${seconds(tapped)}`,
    formatVerdict(row),
  ]);
}

function describeSpeech({ way }: Row, { records }: Run): string {
  const protocols = records.map(({ protocol, stream }) => {
    if (protocol === 'websocket') return 'WebSocket';
    return `${protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1'}, ${stream ? 'SSE' : 'JSON'}`;
  });
  const codings = way.calls.flatMap(({ coding }) => (coding === undefined ? [] : [`${coding} request`]));
  return [...new Set([...protocols, ...codings])].join('; ');
}

function formatCost(records: readonly CallRecord[]): string {
  const known = records.map(({ cost }) => cost.usd);
  if (known.includes(null)) return 'not in the list';
  return `$${known.reduce((sum: number, usd) => sum + (usd ?? 0), 0).toFixed(6)}`;
}

function formatVerdict({ broken, hasShell, skipped }: Row): string {
  if (skipped !== null) return skipped;
  if (broken.length > 0) return `broken: ${broken.join('; ')}`;
  return hasShell ? 'whole, its shell’s calls too' : 'whole';
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

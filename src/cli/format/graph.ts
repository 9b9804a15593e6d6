import type { Palette } from '../colour.js';
import type { GraphRunView, GraphStep, NodeCost } from '../graph/graph-run.js';
import { formatDuration } from './duration.js';
import { addTokenSums, formatCostSum, formatCount, formatPlural, formatTokenSum } from './number.js';
import { shortenId } from './runs.js';
import { measureText, readableLine } from './text.js';

/** A tree that is deeper goes on at this depth. */
const deepestIndent = 60;

/** One line of the drawing: the branch, its node, and what is to be said of it. */
interface Drawn {
  readonly branch: string;
  readonly cost: NodeCost | null;
  readonly note: string;
}

/** A run of a graph as a tree of handoffs, each node with what it cost. A node that was reached before is named, not drawn again. */
export function formatGraphRun(view: GraphRunView, palette: Palette): string {
  const lines = drawNodes(view);
  const width = Math.max(0, ...lines.map(({ branch }) => measureText(branch)));
  const body = lines.map((line) => formatLine(line, width, palette));
  const path = view.path.length === 0 ? [] : ['', palette.dim(`path: ${view.path.map(readableLine).join(' → ')}`)];
  return `${[formatHead(view, palette), '', ...body, ...path].join('\n')}\n`;
}

function formatHead({ graphKey, graphRunId, success, durationMs, totalTokens, nodes }: GraphRunView, palette: Palette) {
  const outcome = success === null ? 'outcome not told' : success ? palette.green('success') : palette.red('failure');
  if (graphRunId === null) return `${palette.bold(readableLine(graphKey))} · no run on record`;
  const cost = addTokenSums(nodes.map(({ costUsd }) => costUsd));
  const parts = [
    outcome,
    ...(durationMs === null ? [] : [formatDuration(durationMs)]),
    ...(totalTokens === null ? [] : [`${formatCount(totalTokens)} tokens`]),
    formatCostSum(cost),
  ];
  return `${palette.bold(readableLine(graphKey))} · run ${palette.cyan(shortenId(graphRunId))} · ${parts.join(', ')}`;
}

function formatLine({ branch, cost, note }: Drawn, width: number, palette: Palette): string {
  const gap = ' '.repeat(width - measureText(branch));
  if (cost === null) return `${branch}${note === '' ? '' : `${gap}  ${palette.dim(note)}`}`;
  const failed = cost.success === false ? [palette.red('failed')] : [];
  const calls =
    cost.calls === 0
      ? ['no calls']
      : [
          formatPlural(cost.calls, 'call'),
          ...(cost.errors > 0 ? [palette.red(formatPlural(cost.errors, 'error'))] : []),
          `${formatTokenSum(cost.inputTokens)} → ${formatTokenSum(cost.outputTokens)} tokens`,
          formatCostSum(cost.costUsd),
          formatDuration(cost.latencyMs),
        ];
  return `${branch}${gap}  ${[...failed, ...calls, ...(note === '' ? [] : [palette.dim(note)])].join('  ')}`;
}

/** Without recursion: a chain may be as long as it likes. */
function drawNodes({ nodes, steps, path }: GraphRunView): Drawn[] {
  const costs = new Map(nodes.map((cost) => [cost.node, cost]));
  const reached = new Set(steps.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const roots = [...path.slice(0, 1), ...nodes.map(({ node }) => node).filter((node) => !reached.has(node))];
  const byOrigin = new Map<string, GraphStep[]>();
  for (const step of steps) {
    const from = byOrigin.get(step.from);
    if (from === undefined) byOrigin.set(step.from, [step]);
    else from.push(step);
  }
  const drawn = new Set<string>();
  const isTold = path.length > 0 || steps.some(({ kind }) => kind !== 'edge');
  const lines: Drawn[] = [];
  for (const root of [...new Set([...roots, ...nodes.map(({ node }) => node)])]) {
    if (!drawn.has(root)) lines.push(...drawTree(root, { costs, steps: byOrigin, drawn, isTold }));
  }
  return lines;
}

interface Drawing {
  readonly costs: ReadonlyMap<string, NodeCost>;
  /** By where they lead from. */
  readonly steps: ReadonlyMap<string, readonly GraphStep[]>;
  readonly drawn: Set<string>;
  /** Whether the run said which way it went. */
  readonly isTold: boolean;
}

function drawTree(root: string, { costs, steps, drawn, isTold }: Drawing): Drawn[] {
  const lines: Drawn[] = [];
  const left: { node: string; lead: string; indent: string; note: string }[] = [
    { node: root, lead: '', indent: '', note: '' },
  ];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { node, lead, indent, note } = next;
    const isAgain = drawn.has(node);
    drawn.add(node);
    const branch = `${lead}${readableLine(node)}${isAgain ? ' ↺' : ''}`;
    lines.push({ branch, cost: isAgain ? null : (costs.get(node) ?? null), note });
    if (isAgain) continue;
    const children = steps.get(node) ?? [];
    const isDeep = indent.length >= deepestIndent;
    const planned = children.map((step, at) => {
      const isLast = at === children.length - 1;
      return {
        node: step.to,
        lead: `${indent}${isLast ? '└─ ' : '├─ '}`,
        indent: isDeep ? indent : `${indent}${isLast ? '   ' : '│  '}`,
        note: describeStep(step, isTold || (costs.get(step.to)?.calls ?? 0) === 0),
      };
    });
    left.push(...planned.reverse());
  }
  return lines;
}

/** @param isKnown whether an edge that is in no event was not taken: a node that worked in a run that told no way was reached somehow. */
function describeStep({ kind, count }: GraphStep, isKnown: boolean): string {
  if (kind === 'edge') return isKnown ? 'not taken' : 'not told';
  const times = count === 1 ? '' : ` ×${count}`;
  return kind === 'handoff' ? times.trim() : `${kind}${times}`;
}

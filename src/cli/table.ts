import CliTable from 'cli-table3';
import type { Palette } from './colour.js';
import { type Cell, fitColumns, type Table } from './format/fit-columns.js';

const noFrame = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/**
 * Lines of a table without frames, its head dim, fitted into `width` (`null`: as wide as it gets) by dropping
 * columns and, at last, cutting the first. Ends with a line break.
 */
export function formatTable(table: Table, palette: Palette, width: number | null): string {
  const { columns, rows, total } = fitColumns(table, width);
  const grid = new CliTable({
    head: columns.map((column) => palette.dim(column.title)),
    colAligns: columns.map((column) => column.align),
    chars: noFrame,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) grid.push(row.map(paintCell));
  if (total !== undefined) grid.push(total.map((cell) => (cell.text === '' ? '' : palette.bold(paintCell(cell)))));
  const lines = grid.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function paintCell(cell: Cell): string {
  return cell.paint === undefined ? cell.text : cell.paint(cell.text);
}

import { cutText, measureText } from './text.js';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Columns of the highest rank are dropped first when the terminal is narrow; 0 stays whatever happens. */
  readonly rank: number;
}

export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Printed below the rows, in bold. */
  readonly total?: readonly Cell[];
}

const gap = 2;
const narrowestFirstColumn = 8;

/**
 * The table made to fit `width` characters: columns of the highest rank go first, of equal rank the rightmost; what
 * is still too wide loses the end of its first column. `null` leaves the table as it is.
 */
export function fitColumns(table: Table, width: number | null): Table {
  if (width === null) return table;
  let fitted = table;
  while (measureTable(fitted) > width) {
    const index = findDroppable(fitted.columns);
    if (index === undefined) return cutFirstColumn(fitted, width);
    fitted = pickColumns(fitted, (at) => at !== index);
  }
  return fitted;
}

/** Characters of the widest line. */
export function measureTable(table: Table): number {
  const widths = table.columns.map((_, index) => measureColumn(table, index));
  return widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1);
}

function measureColumn(table: Table, index: number): number {
  const cells = [...table.rows, ...(table.total === undefined ? [] : [table.total])].map((row) => row[index]);
  return Math.max(
    measureText(table.columns[index]?.title ?? ''),
    ...cells.map((cell) => measureText(cell?.text ?? '')),
  );
}

function findDroppable(columns: readonly Column[]): number | undefined {
  let found: number | undefined;
  let rank = 0;
  for (const [index, column] of columns.entries()) {
    if (column.rank > 0 && column.rank >= rank) {
      found = index;
      rank = column.rank;
    }
  }
  return found;
}

function pickColumns(table: Table, isKept: (index: number) => boolean): Table {
  const pick = <T>(list: readonly T[]) => list.filter((_, index) => isKept(index));
  return {
    columns: pick(table.columns),
    rows: table.rows.map((row) => pick(row)),
    ...(table.total === undefined ? {} : { total: pick(table.total) }),
  };
}

function cutFirstColumn(table: Table, width: number): Table {
  const others = measureTable(table) - measureColumn(table, 0);
  const room = Math.max(narrowestFirstColumn, width - others);
  const cut = (row: readonly Cell[]) =>
    row.map((cell, index) => (index === 0 ? { ...cell, text: cutText(cell.text, room) } : cell));
  return {
    columns: table.columns,
    rows: table.rows.map(cut),
    ...(table.total === undefined ? {} : { total: cut(table.total) }),
  };
}

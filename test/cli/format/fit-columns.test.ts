import { describe, expect, it } from 'vitest';
import { fitColumns, measureTable, type Table } from '../../../src/cli/format/fit-columns.js';

const table: Table = {
  columns: [
    { title: 'model', align: 'left', rank: 0 },
    { title: 'calls', align: 'right', rank: 0 },
    { title: 'cached', align: 'right', rank: 2 },
    { title: 'p50', align: 'right', rank: 1 },
  ],
  rows: [[{ text: 'a-model-of-some-length' }, { text: '12' }, { text: '1,234' }, { text: '812 ms' }]],
  total: [{ text: 'total' }, { text: '12' }, { text: '' }, { text: '' }],
};

const titles = (fitted: Table) => fitted.columns.map((column) => column.title);

describe('fitting a table', () => {
  it('leaves it as it is where there is no width to fit into, or enough', () => {
    expect(fitColumns(table, null)).toBe(table);
    expect(fitColumns(table, measureTable(table))).toBe(table);
  });

  it('drops the least important column first, from rows and total alike', () => {
    const fitted = fitColumns(table, measureTable(table) - 1);
    expect(titles(fitted)).toEqual(['model', 'calls', 'p50']);
    expect(fitted.rows[0]).toHaveLength(3);
    expect(fitted.total).toHaveLength(3);
  });

  it('cuts the first column when nothing is left to drop', () => {
    const fitted = fitColumns(table, 20);
    expect(titles(fitted)).toEqual(['model', 'calls']);
    expect(fitted.rows[0]?.[0]?.text).toBe('a-model-of-s…');
    expect(measureTable(fitted)).toBe(20);
  });
});

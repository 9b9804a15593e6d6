import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { table } from '../fixtures/tracker-vectors.js';

/** Calls of `listVectors` in the tests, as they are written: the area, and the ids it leaves to others. */
const listing = /listVectors(?:<[^(]*>)?\(\s*'([^']+)'(?:,\s*\[([^\]]*)\])?/g;

/** Each file sees to it itself that what it asks for is tried (`fixtures/tracker-vectors.ts`); this, that all is asked for. */
describe('the fact table', () => {
  const folders = ['trackers', 'graph', 'configs'].map((name) => join(import.meta.dirname, '..', name));
  const text = folders
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => path !== import.meta.filename)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const lists = [...text.matchAll(listing)].map(([, area = '', except = '']) => ({ area, except }));
  const withoutExceptions = text.replaceAll(listing, '');

  it('is asked for whole: each vector with its area, or by its id', () => {
    const isListed = ({ id, area }: { readonly id: string; readonly area: string }) =>
      lists.some((list) => list.area === area && !list.except.includes(`'${id}'`));
    const left = table.vectors.filter((vector) => !isListed(vector) && !withoutExceptions.includes(`'${vector.id}'`));
    expect(left.map(({ id }) => id)).toEqual([]);
  });

  it('is the one that was handed over', () => {
    expect([table.vectors.length, Object.keys(table.traversal).length, table.wire.length]).toEqual([124, 14, 1]);
    expect(new Set(table.vectors.map(({ id }) => id)).size).toBe(124);
  });
});

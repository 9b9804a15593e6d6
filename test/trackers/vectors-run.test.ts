import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { table } from '../fixtures/tracker-vectors.js';

describe('the fact table', () => {
  it('is tried whole: each vector by its area or by its id', () => {
    const folders = ['trackers', 'graph', 'configs'].map((name) => join(import.meta.dirname, '..', name));
    const text = folders
      .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
      .filter((path) => path !== import.meta.filename)
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const areas = [...text.matchAll(/listVectors(?:<[^(]*>)?\(\s*'([^']+)'/g)].map((match) => match[1]);
    const left = table.vectors.filter(({ id, area }) => !areas.includes(area) && !text.includes(id));
    expect(left.map(({ id }) => id)).toEqual([]);
    // These areas are filtered where they are listed, and the rest named one by one.
    for (const id of [
      'graph.threading',
      'config.flag-not-object.5',
      'managed.graph.ok',
      'once.config.across-resumption',
    ]) {
      expect(text).toContain(id);
    }
  });
});

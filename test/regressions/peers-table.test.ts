import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const table = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const rows = [...table.matchAll(/^\| (\d+) \|.* \| (.*) \|$/gm)].map(([, number, held = '']) => ({
  number: Number(number),
  held,
}));

it('every failure of the field’s tools has a row, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});

it.each(rows)('failure $number is held by tests that exist, or says why not', ({ held }) => {
  const files = held.split(/`(test\/[\w./-]+)`/);
  const named = files.flatMap((path, i) =>
    i % 2 === 0 ? [] : [...(files[i + 1] ?? '').matchAll(/"([^"]+)"/g)].map(([, title]) => ({ path, title })),
  );
  expect(named.length > 0 || /not in this version/.test(held)).toBe(true);
  for (const { path, title } of named) {
    const text = readFileSync(new URL(path, root), 'utf8');
    const isThere = ["'", '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
    expect({ path, title, isThere }).toEqual({ path, title, isThere: true });
  }
});

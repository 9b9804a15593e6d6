import type { CacheRow, CacheStats, CacheWhy } from '../../core/cache-reading.js';
import type { CacheEntry } from '../../core/response-cache.js';
import type { Palette } from '../colour.js';
import { cutBody } from './call-page.js';
import { formatDuration, formatTime } from './duration.js';
import type { Column, Table } from './fit-columns.js';
import { formatBytes, formatCount, formatPlural, unknownMark } from './number.js';
import { readableBlock, readableLine } from './text.js';

const shownKey = 12;

const entryColumns: readonly Column[] = [
  { title: 'entry', align: 'left', rank: 0 },
  { title: 'kept', align: 'left', rank: 3 },
  { title: 'model', align: 'left', rank: 0 },
  { title: 'api', align: 'left', rank: 4 },
  { title: 'form', align: 'left', rank: 1 },
  { title: 'size', align: 'right', rank: 2 },
  { title: 'answers', align: 'right', rank: 0 },
  { title: 'used', align: 'left', rank: 5 },
  { title: 'took', align: 'right', rank: 3 },
];

/** One row an entry. */
export function makeEntriesTable(rows: readonly CacheRow[], palette: Palette): Table {
  return {
    columns: entryColumns,
    rows: rows.map((row) => [
      { text: row.key.slice(0, shownKey), paint: palette.cyan },
      { text: formatTime(row.storedAt) },
      { text: row.model === null ? unknownMark : readableLine(row.model) },
      { text: readableLine(row.api) },
      { text: nameForm(row.variant) },
      { text: formatBytes(row.bytes) },
      { text: formatCount(row.hits) },
      { text: row.hits === 0 ? unknownMark : formatTime(row.usedAt) },
      { text: formatDuration(row.latencyMs) },
    ]),
  };
}

const modelColumns: readonly Column[] = [
  { title: 'model', align: 'left', rank: 0 },
  { title: 'provider', align: 'left', rank: 1 },
  { title: 'entries', align: 'right', rank: 0 },
  { title: 'size', align: 'right', rank: 2 },
  { title: 'answers', align: 'right', rank: 0 },
];

/** One row a model. */
export function makeModelsTable({ models }: CacheStats): Table {
  return {
    columns: modelColumns,
    rows: models.map((row) => [
      { text: row.model === null ? unknownMark : readableLine(row.model) },
      { text: readableLine(row.provider) },
      { text: formatCount(row.entries) },
      { text: formatBytes(row.bytes) },
      { text: formatCount(row.hits) },
    ]),
  };
}

type Fact = readonly [label: string, value: string | null];

/** Lines of `label  value`. */
export function formatStats(stats: CacheStats, palette: Palette): string {
  const time = (iso: string | null): string => (iso === null ? unknownMark : formatTime(iso));
  return formatFacts(
    [
      ['file', stats.path],
      ['size', `${formatBytes(stats.bytes)}, entries ${formatBytes(stats.entryBytes)}`],
      ['entries', `${formatCount(stats.entries)}${stats.expired > 0 ? `, ${formatCount(stats.expired)} expired` : ''}`],
      ['answers', `${formatCount(stats.hits)} since it was made`],
      ['time saved', `${formatDuration(stats.savedMs)}, by what is still there`],
      ['oldest', time(stats.oldest)],
      ['newest', time(stats.newest)],
    ],
    palette,
  );
}

/** A page about one entry, its reply cut. */
export function formatEntryPage(
  { row, entry }: { readonly row: CacheRow; readonly entry: CacheEntry },
  palette: Palette,
): string {
  const heads = entry.rawHeaders.flatMap((name, i): Fact[] =>
    i % 2 === 0 ? [[name, entry.rawHeaders[i + 1] ?? '']] : [],
  );
  const { shown, hidden } = cutBody(entry.body.toString('utf8'));
  return [
    `${palette.bold(`entry ${row.key.slice(0, shownKey)}`)}  ${nameForm(row.variant)}\n`,
    formatFacts(
      [
        ['key', row.key],
        ['form', readableLine(row.variant)],
        ['request', `${row.provider} ${row.api}, ${row.url}`],
        ['model', row.model],
        ['kept', `${formatTime(row.storedAt)}, from call ${row.callId}`],
        ['until', row.expiresAt === null ? null : formatTime(row.expiresAt)],
        ['took', formatDuration(row.latencyMs)],
        ['answers', `${formatCount(row.hits)}${row.hits === 0 ? '' : `, the last ${formatTime(row.usedAt)}`}`],
        ['pieces', row.variant.startsWith('stream') ? formatCount(entry.pieces.length) : null],
        ['bound', row.isBound ? 'to the credential it was asked with' : null],
        ['key made of', Object.keys(entry.parts).join(', ')],
      ],
      palette,
    ),
    `\n${palette.bold('headers')}\n${formatFacts(heads, palette)}`,
    `\n${palette.bold('reply')}  ${palette.dim(formatBytes(entry.body.length))}\n`,
    `${readableBlock(shown).replace(/^/gm, '  ')}\n`,
    hidden === 0 ? '' : palette.dim(`  … ${formatCount(hidden)} more characters: --json has them\n`),
  ].join('');
}

const outcomes: Readonly<Record<CacheWhy['outcome'], string>> = {
  hit: 'answered from the cache',
  shared: 'answered by an equal call that was under way',
  miss: 'not in the cache: the provider was asked',
  expired: 'in the cache, but too old: the provider was asked',
  refresh: 'not looked for: the provider was asked, as refresh says',
  refused: 'not in the cache, and the provider was not to be asked: refused',
  unkeyed: 'without a key: the provider was asked',
};

const mostDifferences = 20;

/** What the cache did for a call, and in what its request differed from the nearest entry's. */
export function formatWhy(why: CacheWhy, palette: Palette): string {
  const { nearest, differing } = why;
  const entry =
    nearest === null
      ? null
      : `${nearest.key.slice(0, shownKey)}, kept ${formatTime(nearest.storedAt)} from call ${nearest.callId}`;
  const head = [
    `${palette.bold(`call ${why.callId}`)}  ${outcomes[why.outcome]}\n`,
    formatFacts(
      [
        ['at', formatTime(why.at)],
        ['request', `${why.api}, ${why.url}`],
        ['key', why.key === null ? null : `${why.key.slice(0, shownKey)}, ${readableLine(why.variant ?? '')}`],
        ['because', why.reason],
        [isAnswered(why) ? 'entry' : 'nearest entry', entry],
      ],
      palette,
    ),
  ].join('');
  if (nearest === null) return isAnswered(why) ? head : `${head}\nThere is no entry of this API to compare it with.\n`;
  if (isAnswered(why)) return head;
  if (differing.length === 0)
    return `${head}\nIts key is the same: asked now, it would be answered, unless it is too old.\n`;
  const listed = differing.slice(0, mostDifferences).map(({ part, how }) => ({ part, name: readableLine(part), how }));
  const width = Math.max(...listed.map(({ name }) => name.length));
  const lines = listed.map(({ part, name, how }) => {
    const forms = part === 'variant' ? ` (${nameForm(why.variant ?? '')}; kept as ${nameForm(nearest.variant)})` : '';
    return `  ${palette.yellow(name.padEnd(width))}  ${how}${forms}\n`;
  });
  const more =
    differing.length > mostDifferences
      ? `  … and ${formatPlural(differing.length - mostDifferences, 'more part')}\n`
      : '';
  return `${head}\n${palette.bold('its key differs in')}\n${lines.join('')}${more}`;
}

function isAnswered({ outcome }: CacheWhy): boolean {
  return outcome === 'hit' || outcome === 'shared';
}

/** `whole`, `stream`, `stream …` where the request says more of it. */
function nameForm(variant: string): string {
  const [name = '', ...more] = variant.split(' ');
  return `${name === 'json' ? 'whole' : readableLine(name)}${more.length === 0 ? '' : ' …'}`;
}

const labelWidth = 13;
/** Of headers, whose names may be of any length. */
const mostLabelWidth = 40;

function formatFacts(facts: readonly Fact[], palette: Palette): string {
  const width = Math.max(labelWidth, ...facts.map(([label]) => Math.min(readableLine(label).length, mostLabelWidth)));
  return facts
    .flatMap(([label, value]) =>
      value === null ? [] : [`  ${palette.dim(readableLine(label).padEnd(width))}  ${readableLine(value)}\n`],
    )
    .join('');
}

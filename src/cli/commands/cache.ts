import { Command } from '@commander-js/extra-typings';
import type { CacheReader, CacheSelection } from '../../core/cache-reading.js';
import { findCachePath } from '../cache-flags.js';
import { makePalette } from '../colour.js';
import { confirm } from '../confirm.js';
import { type CommandContext, printJsonLines, printNote } from '../context.js';
import { formatCount } from '../format/number.js';
import type { CliIo } from '../io.js';
import { makeWholeNumberReader, readInstant } from '../read-flags.js';

const usual = 20;

const examples = `
Examples:
  llmtap run --cache -- python agent.py      keep replies, and answer from them
  llmtap cache stats                         how much there is, and what it saved
  llmtap cache why latest                    why the last call was answered from it, or was not
  llmtap cache clear --before 30d
  llmtap cache export replies.jsonl          for another machine: llmtap cache import replies.jsonl

The cache is .llmtap/cache.db in the working folder, unless --cache-dir or LLMTAP_CACHE_DIR names another folder.`;

/** `llmtap cache`: what is kept of replies. */
export function makeCacheCommand({ io }: CommandContext) {
  return new Command('cache')
    .description('the replies that are kept: stats, ls, show, why, clear, export, import')
    .addHelpText('after', examples)
    .addCommand(makeStats(io))
    .addCommand(makeList(io))
    .addCommand(makeShow(io))
    .addCommand(makeWhy(io))
    .addCommand(makeClear(io))
    .addCommand(makeExport(io))
    .addCommand(makeImport(io));
}

function makeCommand(name: string, what: string) {
  return new Command(name)
    .description(what)
    .option('--cache-dir <folder>', 'the folder of the cache (LLMTAP_CACHE_DIR)');
}

function makeStats(io: CliIo) {
  return makeCommand('stats', 'print where it is, how large, and what it saved')
    .option('--json', 'print JSON, one line')
    .action(async ({ cacheDir, json }) => {
      const stats = await useCache(cacheDir, io, (cache) => cache.stats());
      if (json) return printJsonLines([stats], io);
      const [{ formatStats, makeModelsTable }, { formatTable }] = await loadFormats();
      const palette = makePalette(io.stdout, io.env);
      io.stdout.write(formatStats(stats, palette));
      if (stats.models.length > 0)
        io.stdout.write(`\n${formatTable(makeModelsTable(stats), palette, io.stdout.columns())}`);
    });
}

function makeList(io: CliIo) {
  return makeCommand('ls', 'list entries, the last used first')
    .option('--limit <n>', `at most so many (${usual}; with --json all)`, makeWholeNumberReader('--limit', 1))
    .option('--json', 'print JSON, one entry a line')
    .action(async ({ cacheDir, limit, json }) => {
      await useCache(cacheDir, io, async (cache) => {
        if (json) return printJsonLines(cache.list(limit === undefined ? {} : { limit }), io);
        const rows = [...cache.list({ limit: limit ?? usual })];
        if (rows.length === 0) return printNote('Nothing is kept here. Try: llmtap run --cache -- PROGRAM', io);
        const [{ makeEntriesTable }, { formatTable }] = await loadFormats();
        const palette = makePalette(io.stdout, io.env);
        io.stdout.write(formatTable(makeEntriesTable(rows, palette), palette, io.stdout.columns()));
        if (limit === undefined && rows.length === usual) printNote(`The last ${usual}; --limit N shows more.`, io);
      });
    });
}

function makeShow(io: CliIo) {
  return makeCommand('show', 'show one entry with its reply')
    .argument('<id>', 'its key, or the call it was kept from; or the first characters, four or more')
    .option('--json', 'print JSON, one line a form, the reply as text or base64')
    .action(async (id, { cacheDir, json }) => {
      await useCache(cacheDir, io, async (cache) => {
        const found = cache.require(id);
        if (json) {
          const { formatPortable } = await import('../../cache/portable.js');
          for (const { entry } of found) io.stdout.write(`${formatPortable(entry)}\n`);
          return;
        }
        const [{ formatEntryPage }] = await loadFormats();
        const palette = makePalette(io.stdout, io.env);
        io.stdout.write(found.map((one) => formatEntryPage(one, palette)).join('\n'));
      });
    });
}

function makeWhy(io: CliIo) {
  return makeCommand('why', 'say why a call was answered from the cache, or was not')
    .argument('<call>', 'its id, the first characters of it, or latest')
    .option('--json', 'print JSON, one line')
    .action(async (id, { cacheDir, json }) => {
      const why = await useCache(cacheDir, io, (cache) => cache.why(id));
      if (json) return printJsonLines([why], io);
      const [{ formatWhy }] = await loadFormats();
      io.stdout.write(formatWhy(why, makePalette(io.stdout, io.env)));
    });
}

function makeClear(io: CliIo) {
  return makeCommand('clear', 'delete entries: all, or those that are named')
    .option('--before <when>', 'those kept before: a date (2026-11-01) or an age (30d, 12h)')
    .option('--model <name>', 'those of one model')
    .option('--yes', 'do not ask')
    .option('--json', 'print what was deleted as JSON, one line')
    .action(async ({ cacheDir, before, model, yes, json }) => {
      const selection: CacheSelection = {
        ...(before === undefined ? {} : { beforeMs: Date.parse(readInstant('--before', before, Date.now())) }),
        ...(model === undefined ? {} : { model }),
      };
      await useCache(cacheDir, io, async (cache) => {
        const matches = cache.count(selection);
        const isWanted = matches === 0 || yes === true || (await confirm(`Delete ${nameEntries(matches)}?`, io));
        const entries = isWanted && matches > 0 ? cache.clear(selection) : 0;
        if (json) printJsonLines([{ entries }], io);
        else if (matches === 0) printNote('Nothing matches: nothing was deleted.', io);
        else if (isWanted) io.stdout.write(`Deleted ${nameEntries(entries)}.\n`);
        else printNote('Nothing was deleted.', io);
      });
    });
}

function makeExport(io: CliIo) {
  return makeCommand('export', 'write every entry to one file, without credentials')
    .argument('<file>', 'JSON Lines; - for stdout')
    .action(async (file, { cacheDir }) => {
      const { exportToFile } = await import('../cache/export-file.js');
      const { entries, bound, secret } = await exportToFile(findCachePath(cacheDir, io.env), file, io);
      const left = [
        ...(bound === 0 ? [] : [`${formatCount(bound)} bound to a credential`]),
        ...(secret === 0 ? [] : [`${formatCount(secret)} that may hold one`]),
      ];
      printNote(`Exported ${nameEntries(entries)}${left.length === 0 ? '' : `; left out: ${left.join(', ')}`}.`, io);
    });
}

function makeImport(io: CliIo) {
  return makeCommand('import', 'take the entries of an export, in place of older ones')
    .argument('<file>', 'what export has written; - for stdin')
    .option('--json', 'print what was taken as JSON, one line')
    .action(async (file, { cacheDir, json }) => {
      const { importFromFile } = await import('../cache/import-file.js');
      const counts = await importFromFile(findCachePath(cacheDir, io.env), file);
      if (json) return printJsonLines([counts], io);
      const older =
        counts.older === 0 ? '' : `; ${formatCount(counts.older)} left out, for the cache has them as new or newer`;
      io.stdout.write(`Imported ${nameEntries(counts.entries)}${older}.\n`);
    });
}

async function useCache<T>(
  cacheDir: string | undefined,
  io: CliIo,
  use: (cache: CacheReader) => T | Promise<T>,
): Promise<T> {
  const { openCacheReader } = await import('../../storage/cache-reader.js');
  const cache = openCacheReader(findCachePath(cacheDir, io.env));
  try {
    return await use(cache);
  } finally {
    cache.close();
  }
}

async function loadFormats() {
  return await Promise.all([import('../format/cache.js'), import('../table.js')]);
}

function nameEntries(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'entry' : 'entries'}`;
}

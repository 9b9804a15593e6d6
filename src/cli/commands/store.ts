import { Command } from '@commander-js/extra-typings';
import { TrackerError } from '../../core/errors.js';
import type { PruneOptions, StoreInfo } from '../../core/ledger.js';
import { makePalette } from '../colour.js';
import { confirm } from '../confirm.js';
import { type CommandContext, printJsonLines, printNote, useLedger } from '../context.js';
import { formatTime } from '../format/duration.js';
import { formatBytes, formatCount, unknownMark } from '../format/number.js';
import { formatPruned, isNothing, makePruneQuestion } from '../format/prune.js';
import type { CliIo } from '../io.js';
import { readInstant, readSize } from '../read-flags.js';

const examples = `
Examples:
  llmtap store info
  llmtap store prune --before 30d                  calls older than thirty days
  llmtap store prune --before 7d --bodies-only     keep the calls, drop what was said
  llmtap store prune --max-size 500MB --yes        oldest first, without asking`;

/** `llmtap store`: how large the ledger is, and making it smaller. */
export function makeStoreCommand(context: CommandContext) {
  const { io } = context;
  return new Command('store')
    .description('the file all calls are kept in: info, prune')
    .addHelpText('after', examples)
    .addCommand(
      new Command('info')
        .description('print where it is, how large, and what is in it')
        .option('--json', 'print JSON, one line')
        .action(({ json }) => useLedger(io, (ledger) => printInfo(ledger.info(), json === true, io))),
    )
    .addCommand(
      new Command('prune')
        .description('delete calls, or only their bodies')
        .option('--before <when>', 'those that started before: a date (2026-11-01) or an age (30d, 12h)')
        .option('--bodies-only', 'keep the calls, delete their bodies')
        .option('--max-size <size>', 'oldest first, until the file is no larger (500MB)')
        .option('--yes', 'do not ask')
        .option('--json', 'print what was deleted as JSON, one line')
        .addHelpText('after', examples)
        .action((flags) => prune(flags, io)),
    );
}

interface PruneFlags {
  readonly before?: string | undefined;
  readonly bodiesOnly?: true | undefined;
  readonly maxSize?: string | undefined;
  readonly yes?: true | undefined;
  readonly json?: true | undefined;
}

async function prune(flags: PruneFlags, io: CliIo): Promise<void> {
  const options = makePruneOptions(flags);
  await useLedger(io, async (ledger) => {
    const plan = ledger.planPrune(options);
    if (isNothing(plan)) {
      const { bytes } = ledger.info();
      if (flags.json) printJsonLines([{ calls: 0, bodies: 0, bytesBefore: bytes, bytesAfter: bytes }], io);
      printNote('Nothing matches: nothing was deleted.', io);
      return;
    }
    if (!flags.yes && !(await confirm(makePruneQuestion(plan, options, ledger.info()), io))) {
      printNote('Nothing was deleted.', io);
      return;
    }
    if (io.stderr.isTty) printNote('Deleting, and giving the space back; a large file takes a while …', io);
    const result = ledger.prune(options);
    if (flags.json) printJsonLines([result], io);
    else io.stdout.write(formatPruned(result));
  });
}

function makePruneOptions({ before, bodiesOnly, maxSize }: PruneFlags): PruneOptions {
  if (before === undefined && maxSize === undefined && bodiesOnly === undefined) {
    throw new TrackerError('OPTION_INVALID', 'Could not prune: it was not said what.', {
      hint: 'Give --before 30d, --max-size 500MB or --bodies-only.',
    });
  }
  return {
    ...(before === undefined ? {} : { before: readInstant('--before', before, Date.now()) }),
    ...(bodiesOnly === undefined ? {} : { bodiesOnly }),
    ...(maxSize === undefined ? {} : { maxBytes: readSize('--max-size', maxSize) }),
  };
}

function printInfo(info: StoreInfo, json: boolean, io: CliIo): void {
  if (json) {
    printJsonLines([info], io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  const time = (iso: string | null) => (iso === null ? unknownMark : formatTime(iso));
  const facts: readonly (readonly [string, string])[] = [
    ['file', info.path],
    ['size', `${formatBytes(info.bytes)}, bodies ${formatBytes(info.bodyBytes)}`],
    ['runs', formatCount(info.runs)],
    ['calls', formatCount(info.calls)],
    ['oldest', time(info.oldest)],
    ['newest', time(info.newest)],
    ['schema', String(info.schemaVersion)],
  ];
  io.stdout.write(facts.map(([label, value]) => `${palette.dim(label.padEnd(6))}  ${value}\n`).join(''));
}

import { Command, Option } from '@commander-js/extra-typings';
import { makePalette } from '../colour.js';
import { type CommandContext, printJsonLines, useLedger } from '../context.js';

const examples = `
Examples:
  llmtap show latest                     the last call
  llmtap show 3f2a9c01
  llmtap show latest --receipt           whether its bytes were altered on the way
  llmtap show 3f2a9c01 --json | jq .responseBody`;

/** `llmtap show ID`: everything about one call. */
export function makeShowCommand(context: CommandContext) {
  return new Command('show')
    .description('show one call with its bodies')
    .argument('<id>', 'the id of a call, its first characters (four or more; llmtap calls lists them), or latest')
    .option('--json', 'print the whole record as one line of JSON')
    .addOption(
      new Option('--receipt', 'show instead what crossed llmtap on either side, and what was changed').conflicts(
        'json',
      ),
    )
    .addHelpText('after', examples)
    .action(async (id, { json, receipt }) => {
      const { io } = context;
      await useLedger(io, async (ledger) => {
        const call = ledger.requireCall(id);
        if (json) return printJsonLines([call], io);
        if (receipt) {
          const { formatReceipt } = await import('../format/receipt.js');
          io.stdout.write(formatReceipt(call, makePalette(io.stdout, io.env)));
          return;
        }
        const { formatCallPage } = await import('../format/call-page.js');
        io.stdout.write(formatCallPage(call, makePalette(io.stdout, io.env)));
      });
    });
}

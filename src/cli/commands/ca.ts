import { Command } from '@commander-js/extra-typings';
import { makePalette } from '../colour.js';
import { confirm, hasTerminal } from '../confirm.js';
import { type CommandContext, printJsonLines, printNote } from '../context.js';
import { formatTime } from '../format/duration.js';
import type { CliIo } from '../io.js';

const examples = `
Examples:
  llmtap ca path
  curl --cacert "$(llmtap ca path)" …
  llmtap ca info --json
  llmtap ca reset --yes                 without asking

Programs started by llmtap run trust the CA by themselves; nothing is installed on the machine.`;

/** `llmtap ca`: the certificate authority the tap answers with. */
export function makeCaCommand(context: CommandContext) {
  const { io } = context;
  return new Command('ca')
    .description('the certificate authority of the tap: path, info, reset')
    .addHelpText('after', examples)
    .addCommand(
      new Command('path')
        .description('print the path of its certificate (PEM), making it when there is none')
        .action(async () => io.stdout.write(`${(await openInfo(io)).certPath}\n`)),
    )
    .addCommand(
      new Command('info')
        .description('print subject, fingerprint, validity and files')
        .option('--json', 'print JSON, one line')
        .action(async ({ json }) => printInfo(await openInfo(io), json === true, io)),
    )
    .addCommand(
      new Command('reset')
        .description('make a new one and delete the old key; programs under a running llmtap keep the old one')
        .option('--yes', 'do not ask (without a terminal it never does)')
        .action(({ yes }) => reset(yes === true, io)),
    );
}

const resetQuestion =
  'Make a new CA and delete the old key? Whoever was told to trust the old certificate must be told again.';

async function reset(isSure: boolean, io: CliIo): Promise<void> {
  if (!isSure && hasTerminal(io) && !(await confirm(resetQuestion, io))) {
    printNote('The CA stays as it was.', io);
    return;
  }
  const { findHome } = await import('../../ca/paths.js');
  const { resetAuthority } = await import('../../ca/authority.js');
  resetAuthority(findHome(io.env));
  printInfo(await openInfo(io), false, io);
  printNote('Whoever was told to trust the old certificate must be told again.', io);
}

/** One line of `llmtap ca info --json`. */
interface CaInfo {
  readonly certPath: string;
  readonly keyPath: string;
  readonly subject: string;
  readonly fingerprint256: string;
  /** UTC, ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
}

async function openInfo(io: CliIo): Promise<CaInfo> {
  const [{ findHome, makeCaPaths }, { openAuthority }] = await Promise.all([
    import('../../ca/paths.js'),
    import('../../ca/authority.js'),
  ]);
  const home = findHome(io.env);
  const { keyPath, subject, fingerprint256, notBefore, notAfter } = openAuthority(home);
  return { certPath: makeCaPaths(home).cert, keyPath, subject, fingerprint256, notBefore, notAfter };
}

function printInfo(info: CaInfo, json: boolean, io: CliIo): void {
  if (json) {
    printJsonLines([info], io);
    return;
  }
  const palette = makePalette(io.stdout, io.env);
  const facts: readonly (readonly [string, string])[] = [
    ['certificate', info.certPath],
    ['key', `${info.keyPath} (readable by you alone; never share it)`],
    ['subject', info.subject],
    ['sha256', info.fingerprint256],
    ['valid from', formatTime(info.notBefore)],
    ['valid until', formatTime(info.notAfter)],
  ];
  io.stdout.write(facts.map(([label, value]) => `${palette.dim(label.padEnd(11))}  ${value}\n`).join(''));
}

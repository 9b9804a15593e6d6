import type { CommanderError } from '@commander-js/extra-typings';
import { TrackerError } from '../core/errors.js';
import { endSentence } from './print-error.js';

/** Commander's complaint as one sentence and a hint that names the command whose help to read. */
export function makeUsageError(error: CommanderError, path: string): TrackerError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  // NOTE: besides a suggestion, too: `claude` is near to `cache`, and a program's name.
  const hints = [findHint(error.code, path, suggestion), suggestion, `See ${path} --help.`];
  const message = error.code === 'commander.help' ? 'A command is missing.' : endSentence(first);
  return new TrackerError('OPTION_INVALID', message, {
    cause: error,
    hint: hints.filter((hint) => hint !== '').join(' '),
  });
}

function findHint(code: string, path: string, suggestion: string): string {
  // Below `ca` and `store` nobody thinks of a program.
  if (code === 'commander.unknownCommand' && !path.includes(' '))
    return 'To run a program under the tap, write llmtap run -- PROGRAM.';
  if (code === 'commander.unknownOption' && suggestion === '') return 'Options of the program itself come after `--`.';
  return '';
}

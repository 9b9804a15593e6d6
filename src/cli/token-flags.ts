import type { Command } from '@commander-js/extra-typings';
import { makeIdReader } from './read-flags.js';

/** What `feedback` and `event` share. */
export interface TokenFlags {
  readonly user?: string | undefined;
  readonly events?: string | undefined;
  readonly otlp?: string | true | undefined;
}

export function addTokenOptions(command: Command) {
  return command
    .option('--user <key>', 'who it is from; else as the run’s earlier events say', makeIdReader('--user'))
    .option('--events <file>', 'append it to a file as well (LLMTAP_EVENTS)')
    .option('--otlp [url]', 'send it to a collector as well (LLMTAP_OTLP)');
}

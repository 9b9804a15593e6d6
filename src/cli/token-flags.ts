import type { Command } from '@commander-js/extra-typings';
import type { Dedupe } from '../core/host.js';
import { readDedupe } from './context-flag.js';
import { makeIdReader } from './read-flags.js';

/** What `feedback` and `event` share. */
export interface TokenFlags {
  readonly user?: string | undefined;
  readonly events?: string | undefined;
  readonly otlp?: string | true | undefined;
  readonly dedupe?: Dedupe | undefined;
}

export function addTokenOptions(command: Command) {
  return command
    .option('--user <key>', 'who it is from; else as the run’s earlier events say', makeIdReader('--user'))
    .option(
      '--dedupe <scope>',
      'run (usual): refused where anybody said it already; tracker: where the wire did',
      readDedupe,
    )
    .option('--events <file>', 'append it to a file as well (LLMTAP_EVENTS)')
    .option('--otlp [url]', 'send it to a collector as well (LLMTAP_OTLP)');
}

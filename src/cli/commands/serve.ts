import { Command } from '@commander-js/extra-typings';
import type { CommandContext } from '../context.js';

/** `llmtap _serve`: the background process of `llmtap env`; not for people. */
export function makeServeCommand(_context: CommandContext) {
  return new Command('_serve').description('the background process of llmtap env').action(async () => {
    const { serve } = await import('../shell/serve.js');
    await serve();
  });
}

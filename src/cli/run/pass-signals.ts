import { isInForeground } from './foreground.js';

/**
 * Signals that a terminal sends to every process in its foreground: the child has got them already.
 * SIGTSTP and SIGCONT are left alone: Ctrl-Z stops llmtap and child together, and `fg` wakes both.
 */
const terminalSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/** Signals that somebody means for the program, and sends to the process they see: llmtap. */
const sentSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

/** Does nothing on Windows, where the console tells every process of it by itself and a signal only ever kills. */
const signals: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : [...terminalSignals, ...sentSignals];

/**
 * Keeps llmtap alive through signals that are the child's to answer, and passes on those the child did not get.
 *
 * Child and llmtap share one process group, as if the child were alone in it, so that a terminal reaches both. Node
 * does not say who sent a signal. A terminal's signal is therefore passed on only when llmtap is not in the foreground
 * of a terminal, for then no keyboard can have sent it; in the foreground one that was sent by `kill` is lost, which is
 * the lesser evil: many programs take a second SIGINT as "leave without saving".
 *
 * NOTE: Node resets an ignored SIGHUP in itself and in its children, so `nohup llmtap run` does not protect the child;
 * `llmtap run -- nohup CMD` does.
 *
 * @param pass sends a signal to the child; called from the event loop, never from within `passSignals`
 *
 * Returns the function that ends it; from then on signals mean llmtap itself again.
 */
export function passSignals(pass: (signal: NodeJS.Signals) => void): () => void {
  const listeners = signals.map((signal) => {
    const listener = () => {
      if (isToBePassed(signal)) pass(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}

function isToBePassed(signal: NodeJS.Signals): boolean {
  if (process.platform === 'win32') return false;
  return !terminalSignals.includes(signal) || !isInForeground();
}

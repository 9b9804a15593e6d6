/** Who has something to hand over when the program ends. */
export interface Leaving {
  /**
   * Hands over what is left, now, and gives what is set once that is kept; `null` where there is nobody to give it to. Never
   * throws.
   */
  leave(exitCode: number): Int32Array<SharedArrayBuffer> | null;
}

/** How long the end of the program waits for all of them together, however many there are. */
const patienceMs = 500;

const watched = new Set<Leaving>();
/** Once the program is ending: until when it waits, by the monotonic clock, and its status. */
let ending: { readonly untilMs: number; readonly exitCode: number } | null = null;

/**
 * Has what is left handed over when the program ends: by itself, by `process.exit`, or by an exception nobody catches. The
 * one thing Node still does then is to run listeners to their end, so this thread sleeps until the other has written, for
 * half a second at most. One listener for all; gives what ends the watch, which may be called twice.
 */
export function watchExit(leaving: Leaving): () => void {
  if (watched.size === 0) process.on('exit', leaveAll);
  watched.add(leaving);
  return () => {
    if (watched.delete(leaving) && watched.size === 0) process.off('exit', leaveAll);
  };
}

/** Hands over at once what came while the program was ending already: from a listener that runs after this one. */
export function leaveIfEnding(leaving: Leaving): void {
  if (ending !== null) waitFor([leaving], ending);
}

function leaveAll(exitCode: number): void {
  ending ??= { untilMs: performance.now() + patienceMs, exitCode };
  waitFor([...watched], ending);
}

/** All are told before one is waited for. */
function waitFor(all: readonly Leaving[], { untilMs, exitCode }: NonNullable<typeof ending>): void {
  for (const signal of all.map((leaving) => leaving.leave(exitCode))) {
    if (signal !== null) Atomics.wait(signal, 0, 0, Math.max(0, untilMs - performance.now()));
  }
}

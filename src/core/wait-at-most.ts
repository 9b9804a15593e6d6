/** Waits for something, but no longer than so many milliseconds; whether it came. Rejects as `awaited` does. */
export async function waitAtMost(ms: number, awaited: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([awaited.then(() => true), enough]);
  } finally {
    clearTimeout(timer);
  }
}

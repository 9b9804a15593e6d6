/**
 * Freezes a value and everything in it; gives it back. For plain data that came over a port or a wire: getters would be
 * called.
 */
export function freezeDeeply<T>(value: T): T {
  // Without recursion: what comes from the wire may be nested as deep as it likes.
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null || Object.isFrozen(next)) continue;
    Object.freeze(next);
    for (const inner of Object.values(next)) left.push(inner);
  }
  return value;
}

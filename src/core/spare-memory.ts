/** From 4 KiB to 1 MiB, each twice the one before. */
const smallestBytes = 4 * 1024;
const largestBytes = 1024 * 1024;
const maxSpareBytes = 8 * 1024 * 1024;

const spare = new Map<number, Buffer[]>();
let spareBytes = 0;

/**
 * Memory of at least `bytes` for a copy of what passes. It may hold what others left in it: no more of it is to
 * be read than was written since. Buffers of the length of a call outlive V8's young generation, and their bytes count towards its next full
 * collection: with new ones for every stream of 150 KB there was one each thirty calls, a quarter of what reading cost
 * (measured, Node 20.20).
 */
export function takeMemory(bytes: number): Buffer {
  let size = smallestBytes;
  while (size < bytes) size *= 2;
  if (size > largestBytes) return Buffer.allocUnsafeSlow(bytes);
  const found = spare.get(size)?.pop();
  if (found === undefined) return Buffer.allocUnsafeSlow(size);
  spareBytes -= size;
  return found;
}

/** Gives memory back that `takeMemory` gave, once and for others to use: whoever gives it must forget it. */
export function giveBackMemory(memory: Buffer): void {
  const size = memory.length;
  if (size < smallestBytes || size > largestBytes || (size & (size - 1)) !== 0) return;
  if (spareBytes + size > maxSpareBytes) return;
  spareBytes += size;
  const same = spare.get(size);
  if (same === undefined) spare.set(size, [memory]);
  else same.push(memory);
}

/** How many bytes the head of a frame has. @param second its second byte */
export function findHeadLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

/** How many bytes the payload has. No safe integer where the frame claims more than one can hold. */
export function readLength(head: Buffer): number {
  const short = (head[1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? head.readUInt16BE(2) : head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6);
}

/** Takes the mask off in place, or puts it on; `offset` is where in the frame's payload the bytes stand. */
export function unmask(bytes: Buffer, mask: Buffer, offset: number): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) ^ (mask[(offset + at) & 3] ?? 0);
}

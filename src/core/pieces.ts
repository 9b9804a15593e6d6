/** Pieces of a stream that came one by one and lie together in a block. */
export interface Pieces {
  readonly count: number;
  /** Where in the block each ends, by its number. */
  readonly ends: ArrayLike<number>;
  /** `monotonicMs` at which each came. */
  readonly times: ArrayLike<number>;
}

/** Writes each of the pieces from `first` on. */
export function writePieces(
  write: (bytes: Buffer, atMs: number) => void,
  block: Buffer,
  { pieces, first = 0 }: { readonly pieces: Pieces; readonly first?: number },
): void {
  for (let i = first; i < pieces.count; i++) {
    write(block.subarray(pieces.ends[i - 1] ?? 0, pieces.ends[i]), pieces.times[i] ?? 0);
  }
}

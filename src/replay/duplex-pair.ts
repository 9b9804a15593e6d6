import { Duplex } from 'node:stream';

/** Two ends of a connection in memory: what is written to one is read from the other, with back-pressure. */
export function makeDuplexPair(): readonly [Duplex, Duplex] {
  const [one, other] = [new End(), new End()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class End extends Duplex {
  peer: End | null = null;
  /** Called when the other end wants more. */
  #onWanted: (() => void) | null = null;

  constructor() {
    // As a socket's: who has been told of the end ends as well.
    super({ allowHalfOpen: false });
  }

  override _read(): void {
    this.peer?.deliver();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.peer === null || this.peer.destroyed) return done();
    if (this.peer.push(chunk)) done();
    else this.#onWanted = done;
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    this.peer = null;
    done(error);
    if (peer !== null && !peer.destroyed) setImmediate(() => peer.destroy());
  }

  deliver(): void {
    const wanted = this.#onWanted;
    this.#onWanted = null;
    wanted?.();
  }
}

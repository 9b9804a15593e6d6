import type { Socket } from 'node:net';

/** As long as a client may take from our 200 to its request. */
const keptMs = 4000;
const maxKept = 64;

interface Spare {
  readonly socket: Socket;
  readonly release: () => void;
}

/** Connections to providers that were opened to see whether they can be, for the requests that follow. */
export class SpareConnections {
  readonly #byKey = new Map<string, Spare[]>();
  #count = 0;

  put(key: string, socket: Socket): void {
    if (this.#count >= maxKept) return void socket.destroy();
    const timer = setTimeout(() => socket.destroy(), keptMs).unref();
    const remove = (): void => this.#remove(key, spare);
    // Reading is what notices an end; and a provider that speaks first is none we can hand on.
    const onReadable = (): void => {
      if (socket.read() !== null) socket.destroy();
    };
    const onEnd = (): void => void socket.destroy();
    const spare: Spare = {
      socket,
      release: () => {
        clearTimeout(timer);
        socket.off('readable', onReadable).off('end', onEnd).off('close', remove);
      },
    };
    socket.on('readable', onReadable).once('end', onEnd).once('close', remove);
    this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), spare]);
    this.#count += 1;
  }

  take(key: string): Socket | undefined {
    const spare = this.#byKey.get(key)?.at(-1);
    if (spare === undefined) return undefined;
    this.#remove(key, spare);
    return spare.socket;
  }

  close(): void {
    for (const { socket } of [...this.#byKey.values()].flat()) socket.destroy();
  }

  #remove(key: string, spare: Spare): void {
    const left = (this.#byKey.get(key) ?? []).filter((other) => other !== spare);
    if (left.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, left);
    this.#count -= 1;
    spare.release();
  }
}

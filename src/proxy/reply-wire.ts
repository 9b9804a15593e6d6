import type { Socket } from 'node:net';

/** More than the head of any reply that is taken. */
const maxKeptBytes = 512 * 1024;

/** What comes over one connection to a provider for the request it is at: for clients that are to meet what we met. */
export class ReplyWire {
  /** What has come before the head was read. */
  #beginning: Buffer[] = [];
  #beginningBytes = 0;
  #isHeadRead = false;
  #last: Buffer | null = null;
  #failure: Error | null = null;

  /** Listens to a new connection, before anybody reads from it. */
  watch(socket: Socket): void {
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const chunk = read(size) as Buffer | null;
      if (chunk !== null) this.#note(chunk);
      return chunk;
    };
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What undici destroys it with comes this way, too.
      if (error.syscall !== undefined) this.#failure = error;
    });
  }

  /** A request is about to be sent. */
  begin(): void {
    this.end();
    this.#isHeadRead = false;
    this.#failure = null;
  }

  onHead(): void {
    this.#isHeadRead = true;
    this.#beginning = [];
  }

  /** The reply is over: nothing of it is kept. */
  end(): void {
    this.#beginning = [];
    this.#beginningBytes = 0;
    this.#last = null;
  }

  /** What the connection broke with, by the system's word. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** The bytes of the reply that could not be read: all of them where there was no head; `null` where that is not known. */
  findUnread(error: unknown): Buffer | null {
    // Bytes that a reset follows at once would be taken for an end (libuv, `uv__read`; measured, Node 20.20).
    if (this.#failure !== null) return null;
    if (!this.#isHeadRead) {
      const isKept = this.#beginningBytes > 0 && this.#beginningBytes <= maxKeptBytes;
      return isKept ? Buffer.concat(this.#beginning) : null;
    }
    const { data } = error as { readonly data?: unknown };
    if (typeof data !== 'string' || data === '' || this.#last === null) return null;
    // As undici tells where its parser stopped: by the text of the rest of that chunk.
    const rest = Buffer.from(data);
    const tail = this.#last.subarray(Math.max(0, this.#last.length - rest.length));
    return tail.equals(rest) ? rest : null;
  }

  #note(chunk: Buffer): void {
    this.#last = chunk;
    if (this.#isHeadRead) return;
    this.#beginningBytes += chunk.length;
    if (this.#beginningBytes <= maxKeptBytes) this.#beginning.push(chunk);
    else this.#beginning = [];
  }
}

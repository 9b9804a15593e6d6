import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { chatRequest } from '../fixtures/replies.js';

export const mebibyte = 1024 * 1024;

/** A request for a stream, which asks for its usage unless said. */
export function askForStream({ asksForUsage = true } = {}): string {
  const usage = asksForUsage ? { stream_options: { include_usage: true } } : {};
  return JSON.stringify({ ...(JSON.parse(chatRequest) as object), stream: true, ...usage });
}

const text = 'x'.repeat(64 * 1024 - 60);
const lastFrame = 'data: [DONE]\n\n';

/** A stream of a chat of so many bytes, which goes to `begin`'s writable as fast as that takes it. */
export class Flood {
  readonly #frames: number;
  readonly #hash = createHash('sha256');
  #to: Writable | null = null;
  #onRoom: () => void = () => undefined;
  #isGone = false;
  written = 0;

  constructor(bytes: number) {
    this.#frames = Math.ceil(bytes / text.length);
  }

  begin(to: Writable): void {
    this.#to = to;
    to.on('drain', () => this.#onRoom()).on('error', () => undefined);
    to.on('close', () => {
      this.#isGone = true;
      this.#onRoom();
    });
    this.#write(': hello\n\n');
  }

  async run(): Promise<void> {
    for (let i = 0; i < this.#frames && !this.#isGone; i += 1) {
      const frame = `data: {"choices":[{"index":0,"delta":{"content":"${i} ${text}"}}]}\n\n`;
      if (this.#write(frame)) continue;
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
    this.#hash.update(lastFrame);
    this.#to?.end(lastFrame);
  }

  /** Resolves when nothing was taken for a while of turns. */
  async stalled(): Promise<void> {
    let before = -1;
    for (let quiet = 0; quiet < 3000; quiet += 1) {
      if (this.written !== before) quiet = 0;
      before = this.written;
      await turn();
    }
  }

  /** Of all that was written. */
  hash(): string {
    return this.#hash.copy().digest('hex');
  }

  #write(piece: string): boolean {
    this.#hash.update(piece);
    this.written += piece.length;
    return this.#to?.write(piece) ?? false;
  }
}

import type { RawHeaders } from '../core/wire.js';
import type { ReplyRewrite } from './call.js';
import { dropHeaders, findHeader } from './headers.js';
import type { Coder, FrameFilter, WireTools } from './ports.js';

const lengthHeader = new Set(['content-length']);
const lengthAndCoding = new Set(['content-length', 'content-encoding']);

/**
 * Gives the client the stream it would have got had nobody asked for usage: the usage frame taken out, the
 * content coding kept. A coding that cannot be written is taken off, which every client understands.
 */
export function openReplyRewrite(
  tools: WireTools,
  rawHeaders: RawHeaders,
): ReplyRewrite & { readonly hidden: boolean } {
  return new UsageHiding(tools, rawHeaders);
}

class UsageHiding implements ReplyRewrite {
  readonly rawHeaders: readonly string[];
  sink: (bytes: Buffer) => void = () => undefined;
  readonly #filter: FrameFilter;
  readonly #decoder: Coder;
  readonly #encoder: Coder | undefined;

  constructor(tools: WireTools, rawHeaders: RawHeaders) {
    const coding = findHeader(rawHeaders, 'content-encoding');
    this.#filter = tools.openFrameFilter();
    this.#decoder = tools.openDecoder(coding, (bytes) => this.#pass(this.#filter.write(bytes)));
    this.#encoder = coding === null ? undefined : tools.openEncoder(coding, (bytes) => this.sink(bytes));
    const keepsCoding = coding === null || this.#encoder !== undefined;
    this.rawHeaders = dropHeaders(rawHeaders, keepsCoding ? lengthHeader : lengthAndCoding);
  }

  get hidden(): boolean {
    return this.#filter.hidden;
  }

  get problem(): string | null {
    return this.#decoder.problem ?? this.#encoder?.problem ?? null;
  }

  write(chunk: Buffer): void {
    this.#decoder.write(chunk);
  }

  end(): Promise<void> | void {
    const decoded = this.#decoder.end();
    if (decoded !== undefined) return decoded.then(() => this.#finish());
    return this.#finish();
  }

  close(): void {
    this.#decoder.close();
    this.#encoder?.close();
  }

  #finish(): Promise<void> | void {
    this.#pass(this.#filter.end());
    return this.#encoder?.end();
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#encoder === undefined) this.sink(bytes);
    else this.#encoder.write(bytes);
  }
}

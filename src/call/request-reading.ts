import type { JsonValue } from '../core/call-record.js';
import type { Dialect, RequestFacts, RequestHead, RequestReader } from '../core/wire.js';
import { BodyCopy } from './body-copy.js';
import { findHeader } from './headers.js';
import type { CallPorts, Coder, JsonBodyReader } from './ports.js';
import { type RequestSize, readRequestSize } from './request-size.js';

/** Bodies are kept up to so many bytes each, decoded. */
export const maxKeptBodyBytes = 1024 * 1024;

export interface RequestReadingOptions {
  readonly dialect: Dialect;
  readonly isMeasured: boolean;
}

/** Reads a copy of the request while it passes. */
export class RequestReading {
  readonly copy: BodyCopy;
  wireBytes = 0;
  readonly #dialect: Dialect;
  readonly #path: string;
  readonly #json: JsonBodyReader;
  /** In place of `#json`, for a body that is none. */
  readonly #other: RequestReader | undefined;
  readonly #decoder: Coder;
  readonly #isMeasured: boolean;
  #facts: RequestFacts;
  #size: RequestSize | null = null;

  /** @param isMeasured whether anybody asks for `size` */
  constructor(ports: CallPorts, head: RequestHead, { dialect, isMeasured }: RequestReadingOptions) {
    this.#isMeasured = isMeasured;
    this.#dialect = dialect;
    this.#path = head.path;
    const contentType = findHeader(head.rawHeaders, 'content-type');
    this.#other = dialect.openRequest?.((name) => findHeader(head.rawHeaders, name));
    this.#json = ports.tools.openFormReader(contentType) ?? ports.tools.openJsonReader();
    this.copy = new BodyCopy(ports.bodies === 'none' ? 0 : maxKeptBodyBytes);
    const coding = findHeader(head.rawHeaders, 'content-encoding');
    this.#decoder = ports.tools.openDecoder(coding, (bytes) => this.#onDecoded(bytes), { whole: true });
    this.#facts = dialect.readRequest(null, head.path);
  }

  /** What the request asks for, as far as it is read. */
  get facts(): RequestFacts {
    return this.#facts;
  }

  /** How many tokens it may take, long texts of a large body left out; `null` while nobody knows. */
  get size(): RequestSize | null {
    return this.#size;
  }

  /** Why its codings could not be undone, or not to the end, as a sentence. */
  get problem(): string | null {
    return this.#decoder.problem;
  }

  write(chunk: Buffer): void {
    this.wireBytes += chunk.length;
    this.#decoder.write(chunk);
  }

  /** A promise only when the body is compressed and large. */
  end(): Promise<void> | void {
    const ending = this.#decoder.end();
    if (ending === undefined) this.#readFacts();
    else return ending.then(() => this.#readFacts());
  }

  close(): void {
    this.#decoder.close();
    this.copy.close();
  }

  #onDecoded(bytes: Buffer): void {
    this.copy.write(bytes);
    (this.#other ?? this.#json).write(bytes);
  }

  #readFacts(): void {
    this.#facts = this.#dialect.readRequest(this.#other?.end() ?? this.#readJson(), this.#path);
  }

  #readJson(): JsonValue {
    const reading = this.#json.end();
    if (this.#isMeasured && reading.ok) this.#size = readRequestSize(reading.value);
    return reading.ok ? reading.value : null;
  }
}

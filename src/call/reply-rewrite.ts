import type { HeadCrossing, ReplyCrossing } from '../core/crossing.js';
import type { RawHeaders } from '../core/wire.js';
import type { ReplyRewrite } from './call.js';
import { dropHeaders, findHeader } from './headers.js';
import type { Coder, WireTools } from './ports.js';

/** Codings that can be read; a reply in any other is passed on as it came. */
const readableCodings = new Set(['identity', 'gzip', 'x-gzip', 'br', 'deflate', 'zstd']);
/** Bytes kept, until the first are decoded, for a reply that is not in the coding it names. */
const maxHeldBytes = 64 * 1024;
const lengthHeader = new Set(['content-length']);
const lengthAndCoding = new Set(['content-length', 'content-encoding']);

/** What is given of a reply's bytes, its content coding aside. */
type ReplyFilter = Omit<ReplyCrossing, 'rawHeaders'>;

/**
 * Gives the client the stream it would have got had nobody asked for usage: the usage frame taken out, the
 * content coding kept. A coding that cannot be written is taken off, which every client understands.
 */
export function openReplyRewrite(tools: WireTools, rawHeaders: RawHeaders): ToldRewrite {
  return new FilteredReply(tools, { rawHeaders, filter: hideUsage(tools), mayPassRaw: true });
}

/**
 * Gives the client a reply in the form it expects, the content coding kept as above. What is in another coding than it says
 * has no such form: the client is cut. `null` for a coding that cannot be read.
 */
export function openCrossedReply(tools: WireTools, crossing: ReplyCrossing | HeadCrossing): ToldRewrite | null {
  if (!('write' in crossing)) return new SameBytes(crossing);
  const { rawHeaders } = crossing;
  return canRewrite(rawHeaders) ? new FilteredReply(tools, { rawHeaders, filter: crossing, mayPassRaw: false }) : null;
}

/** What was changed of a reply that is given to the client, in the words of the record's `changes`. */
export interface ToldRewrite extends ReplyRewrite {
  readonly changes: readonly string[];
}

/** Whether a reply's bytes can be rewritten at all. */
export function canRewrite(rawHeaders: RawHeaders): boolean {
  const headers = rawHeaders.filter(
    (_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-encoding',
  );
  const codings = headers.flatMap((value) => value.split(',').map((coding) => coding.trim().toLowerCase()));
  return headers.length <= 1 && codings.every((coding) => readableCodings.has(coding));
}

function hideUsage(tools: WireTools): ReplyFilter {
  const frames = tools.openFrameFilter();
  return {
    write: (bytes) => frames.write(bytes),
    end: () => frames.end(),
    problem: null,
    get changes() {
      return [
        ...(frames.hidden ? ['reply: usage frame hidden'] : []),
        ...(frames.memberHidden === true ? ['reply: empty usage members hidden'] : []),
      ];
    },
  };
}

interface FilterParts {
  readonly rawHeaders: RawHeaders;
  readonly filter: ReplyFilter;
  /** Whether a reply that is not in the coding it names goes on as it came. */
  readonly mayPassRaw: boolean;
}

const toNobody = (): void => undefined;

/** Another head, and the body as it came. Its length is left out, for its end waits for the record. */
class SameBytes implements ToldRewrite {
  readonly rawHeaders: readonly string[];
  readonly problem = null;
  sink: (bytes: Buffer) => void = toNobody;
  readonly #changes: readonly string[];

  constructor({ rawHeaders, changes }: HeadCrossing) {
    this.rawHeaders = dropHeaders(rawHeaders, lengthHeader);
    this.#changes = changes;
  }

  get changes(): readonly string[] {
    return this.sink === toNobody ? [] : this.#changes;
  }

  write(chunk: Buffer): void {
    this.sink(chunk);
  }

  end(): void {}

  close(): void {}
}

class FilteredReply implements ToldRewrite {
  readonly rawHeaders: readonly string[];
  sink: (bytes: Buffer) => void = toNobody;
  readonly #filter: ReplyFilter;
  readonly #mayPassRaw: boolean;
  readonly #decoder: Coder;
  readonly #encoder: Coder | undefined;
  /** The first bytes as they came, until one of them is decoded. */
  #held: Buffer[] | null = [];
  #heldBytes = 0;
  /** The reply is not in the coding it names: it is passed on as it came. */
  #isRaw = false;

  constructor(tools: WireTools, { rawHeaders, filter, mayPassRaw }: FilterParts) {
    const coding = findHeader(rawHeaders, 'content-encoding');
    this.#filter = filter;
    this.#mayPassRaw = mayPassRaw;
    // No bounds: what the client reads slowly is held back at the provider.
    const unbounded = { maxDecodedBytes: Number.POSITIVE_INFINITY, maxRatio: Number.POSITIVE_INFINITY };
    this.#decoder = tools.openDecoder(coding, (bytes) => this.#onDecoded(bytes), unbounded);
    this.#encoder = coding === null ? undefined : tools.openEncoder(coding, (bytes) => this.sink(bytes));
    const keepsCoding = coding === null || this.#encoder !== undefined;
    this.rawHeaders = dropHeaders(rawHeaders, keepsCoding ? lengthHeader : lengthAndCoding);
  }

  /** None of a reply that went to nobody. */
  get changes(): readonly string[] {
    if (this.sink === toNobody) return [];
    return [
      ...this.#filter.changes,
      ...(this.#isRaw ? ['reply: not in the coding it names, passed on as it came'] : []),
    ];
  }

  get problem(): string | null {
    return this.#isRaw ? null : (this.#decoder.problem ?? this.#filter.problem ?? this.#encoder?.problem ?? null);
  }

  write(chunk: Buffer): void {
    if (this.#isRaw) return this.sink(chunk);
    if (this.#held !== null) this.#hold(chunk);
    this.#decoder.write(chunk);
    if (this.#decoder.problem !== null) this.#giveUp();
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

  #hold(chunk: Buffer): void {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > maxHeldBytes) this.#held = null;
    else this.#held?.push(chunk);
  }

  #onDecoded(bytes: Buffer): void {
    if (bytes.length > 0) this.#held = null;
    this.#pass(this.#filter.write(bytes));
  }

  /** Nothing could be decoded, so nothing was passed on yet: the client gets the provider's own bytes. */
  #giveUp(): void {
    if (this.#held === null || !this.#mayPassRaw) return;
    this.#isRaw = true;
    for (const chunk of this.#held) this.sink(chunk);
    this.#held = null;
  }

  #finish(): Promise<void> | void {
    if (!this.#isRaw && this.#decoder.problem !== null) this.#giveUp();
    if (this.#isRaw) return;
    this.#pass(this.#filter.end());
    return this.#encoder?.end();
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#encoder === undefined) this.sink(bytes);
    else this.#encoder.write(bytes);
  }
}

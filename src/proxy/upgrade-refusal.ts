/** Replies with larger heads are left to run as they do. */
const maxHeadBytes = 256 * 1024;

/**
 * Watches the answer to an upgrade pass, and says when a refusal is over: from then on the connection carries
 * ordinary requests again. After a 101, or where only the end of the connection ends the reply, it never does.
 * Source: RFC 9112 section 6.3 (read 2026-11-21).
 */
export class RefusalWatch {
  readonly #onOver: () => void;
  readonly #onSwitched: (head: string, rest: Buffer) => void;
  #head = Buffer.alloc(0);
  /** Bytes of the refusal's body still to come; `null` while its head is not whole. */
  #missingBytes: number | null = null;
  #settled = false;

  /** @param onSwitched told of a 101: its head, and what came behind it */
  constructor(onOver: () => void, onSwitched: (head: string, rest: Buffer) => void = () => undefined) {
    this.#onOver = onOver;
    this.#onSwitched = onSwitched;
  }

  write(chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#missingBytes !== null) return this.#count(this.#missingBytes - chunk.length);
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = findFinalHead(this.#head);
    if (end === null) {
      this.#settled = this.#head.length > maxHeadBytes;
      return;
    }
    const head = this.#head.toString('latin1', end.from, end.to);
    const bodyBytes = findRefusalLength(head);
    if (bodyBytes === undefined) {
      this.#settled = true;
      if (/^HTTP\/1\.1 101\b/.test(head)) this.#onSwitched(head, this.#head.subarray(end.to + 2));
      this.#head = Buffer.alloc(0);
    } else this.#count(bodyBytes - (this.#head.length - end.to - 2));
  }

  #count(missingBytes: number): void {
    this.#missingBytes = missingBytes;
    if (missingBytes > 0) return;
    this.#settled = true;
    this.#onOver();
  }
}

/** Where the first head lies that is no interim reply, its last line's end included; `null` while it is not whole. */
function findFinalHead(bytes: Buffer): { readonly from: number; readonly to: number } | null {
  for (let from = 0; ; ) {
    const to = bytes.indexOf('\r\n\r\n', from);
    if (to === -1) return null;
    if (!/^HTTP\/1\.1 1(?!01)\d\d/.test(bytes.toString('latin1', from, from + 12))) return { from, to: to + 2 };
    from = to + 4;
  }
}

/** The length of a refusal's body; `undefined` for a 101, and for a reply that ends otherwise than by its length. */
function findRefusalLength(head: string): number | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
  const endsOtherwise = /\r\nconnection:[^\r\n]*\bclose\b/i.test(head) || /\r\ntransfer-encoding:/i.test(head);
  if (status === undefined || status === '101' || endsOtherwise) return undefined;
  if (status === '204' || status === '304') return 0;
  const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(head)?.[1];
  return length === undefined ? undefined : Number(length);
}

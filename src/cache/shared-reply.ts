import type { ReplyControl, ReplyHandler } from '../core/reply.js';
import type { RawHeaders } from '../core/wire.js';
import { frameReplyHeaders } from './reply-headers.js';
import { SharedPace } from './shared-pace.js';
import { longestLagBytes, Player } from './shared-player.js';

/** Memory a piece takes besides its bytes, roughly: a reply may come a byte at a time. */
const pieceBytes = 100;

/**
 * A reply under way that several calls get: each from its first byte, at its own pace. It comes as fast as the fastest of them
 * takes it, and waits when all of them wait.
 */
export class SharedReply {
  readonly #maxBytes: number;
  #head: { readonly status: number; readonly rawHeaders: readonly string[]; readonly length: number | null } | null =
    null;
  #state: 'waiting' | 'open' | 'whole' | 'failed' = 'waiting';
  #error = new Error('the call that was waited for failed');
  /** `from` is how many bytes came before. */
  #chunks: { readonly bytes: Buffer; readonly atMs: number; readonly from: number }[] = [];
  /** Chunks that all players have had and that are held no longer. */
  #dropped = 0;
  #bytes = 0;
  #pieces = 0;
  readonly #waiting = new Set<object>();
  readonly #players = new Set<Player>();
  #settleHead: (isThere: boolean) => void = () => undefined;
  readonly #whenHead: Promise<boolean>;
  /** Who asked first leads it: its client gets the provider's own bytes. */
  readonly #pace = new SharedPace(() => this.#hasReader);
  /** How long the provider's reply took, once it has ended. */
  latencyMs: number | null = null;

  /** @param maxBytes what is held of the reply, so that whoever comes late gets it from the start */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#whenHead = new Promise((resolve) => {
      this.#settleHead = resolve;
    });
  }

  /** Whether one who comes now can still have it all. */
  get isJoinable(): boolean {
    return (this.#state === 'waiting' || this.#state === 'open') && !this.#isTooLarge;
  }

  /** Calls that wait for it or get it. */
  get followers(): number {
    return this.#waiting.size + this.#players.size;
  }

  /** What came so far; `null` when it was more than is held. */
  get chunks(): readonly { readonly bytes: Buffer; readonly atMs: number }[] | null {
    return this.#isTooLarge ? null : this.#chunks;
  }

  /** Resolves with whether there is a reply to be had; `false` where the call failed before. */
  async join(who: object): Promise<boolean> {
    this.#waiting.add(who);
    const isThere = await this.#whenHead;
    this.#waiting.delete(who);
    return isThere;
  }

  /** Somebody waits for it no longer. */
  leave(who: object): void {
    if (this.#waiting.delete(who)) this.#giveUp();
  }

  begin(status: number, rawHeaders: RawHeaders, length: number | null): void {
    if (this.#state !== 'waiting') return;
    this.#head = { status, rawHeaders, length };
    this.#state = 'open';
    this.#settleHead(true);
  }

  push(bytes: Buffer, atMs: number): void {
    if (this.#state !== 'open' || bytes.length === 0) return;
    // In memory of its own: a small piece must not hold a large buffer.
    this.#chunks.push({ bytes: Buffer.from(bytes), atMs, from: this.#bytes });
    this.#bytes += bytes.length;
    this.#pieces += 1;
    for (const player of this.#players) player.play();
    this.#trim();
  }

  /** Whoever still follows has it all, or gets the rest. */
  end(latencyMs: number): void {
    if (this.#state !== 'open') return this.fail(this.#error);
    this.latencyMs = latencyMs;
    this.#state = 'whole';
    for (const player of this.#players) player.play();
  }

  /** Whoever has begun is cut; whoever waits is told that there is nothing. */
  fail(error: Error): void {
    if (this.#state === 'whole' || this.#state === 'failed') return;
    this.#state = 'failed';
    this.#error = error;
    this.#settleHead(false);
    for (const player of this.#players) player.play();
    this.#pace.abandon(error);
  }

  /** Gives it to one more, from its first byte. */
  play(handler: ReplyHandler): void {
    const player = new Player(handler, {
      read: (at) => this.#chunks[at - this.#dropped]?.bytes,
      findEnd: () => (this.#state === 'whole' || this.#state === 'failed' ? this.#state : null),
      onPaced: () => {
        this.#trim();
        this.#pace.settle();
      },
      onGone: () => {
        if (!this.#players.delete(player)) return;
        this.#giveUp();
        this.#pace.settle();
      },
    });
    this.#players.add(player);
    const { status = 200, rawHeaders = [], length = null } = this.#head ?? {};
    handler.onStart(player);
    if (this.#players.has(player)) handler.onHead(status, 'OK', frameReplyHeaders(rawHeaders, length));
    player.play();
    this.#pace.settle();
  }

  /** How who asked first holds back the provider, which goes on for as long as somebody else reads. */
  lead(control: ReplyControl): ReplyControl {
    return this.#pace.lead(control);
  }

  /** The provider's reply, whose own client has left: given up when nobody else is there. */
  control(control: ReplyControl): void {
    // A request that is sent again, as it was, once who followed was told to ask for themselves: nobody wants it.
    if (this.#state === 'failed') return control.abort(this.#error);
    this.#pace.inherit(control);
    this.#giveUp();
  }

  /** Whether one of those who share it takes what comes. */
  get #hasReader(): boolean {
    // Nothing is held back before there is anything.
    if (this.#state === 'waiting') return true;
    for (const player of this.#players) if (!player.isPaused) return true;
    return false;
  }

  get #isTooLarge(): boolean {
    return this.#bytes + this.#pieces * pieceBytes > this.#maxBytes;
  }

  /** Where its own client has left, and now the last who shared it, the provider is told. */
  #giveUp(): void {
    const isUnderWay = this.#state === 'waiting' || this.#state === 'open';
    if (isUnderWay && this.followers === 0) this.#pace.abandon(new Error('nobody waits for the reply any more'));
  }

  /** Lets go of what all have had, where nobody can join any more. */
  #trim(): void {
    if (!this.#isTooLarge) return;
    for (const player of this.#players) if (this.#measureLag(player.at) > longestLagBytes) player.cut();
    const end = this.#dropped + this.#chunks.length;
    const at = [...this.#players].reduce((least, player) => Math.min(least, player.at), end);
    this.#chunks.splice(0, at - this.#dropped);
    this.#dropped = at;
  }

  #measureLag(at: number): number {
    const next = this.#chunks[at - this.#dropped];
    const pieces = this.#dropped + this.#chunks.length - at;
    return next === undefined ? 0 : this.#bytes - next.from + pieces * pieceBytes;
  }
}

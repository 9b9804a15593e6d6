import type { Duplex } from 'node:stream';
import type { SocketGate } from '../core/socket.js';
import type { PipeStage, PipeStages } from './tunnel.js';

type Give = (bytes: Buffer) => void;

/** What a client may leave unread once the tap has spoken to it, before it is heard no further. */
const maxUnheardBytes = 64 * 1024;

/** A gate in the two pipes of an upgrade: nothing of the client's goes before the provider has agreed. */
export class GateStages implements PipeStages {
  readonly up: PipeStage;
  readonly down: PipeStage;
  readonly #gate: SocketGate;
  readonly #client: Duplex;
  #isOpen = false;
  #open: () => void = () => undefined;
  readonly #whenOpen: Promise<void>;
  #giveClient: Give = () => undefined;
  /** The tap has spoken of its own, and what it said last may not have been heard. */
  #hasSpoken = false;
  #goOn: (() => void) | null = null;

  constructor(gate: SocketGate, client: Duplex) {
    this.#gate = gate;
    this.#client = client;
    this.#whenOpen = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.up = {
      take: (chunk, give) => {
        const taking = this.#isOpen
          ? gate.takeFromClient(chunk, give)
          : this.#whenOpen.then(() => gate.takeFromClient(chunk, give));
        return taking === undefined ? this.#waitUntilHeard() : taking.then(() => this.#waitUntilHeard());
      },
      end: (give) => gate.endOfClient(give),
    };
    this.down = { take: (chunk, give) => this.#takeFromProvider(chunk, give), end: () => undefined };
  }

  /** The provider has agreed. @param rest what came behind its 101, which has gone to the client */
  open(rest: Buffer): void {
    this.#isOpen = true;
    this.#client.on('drain', () => this.#goOnWhenHeard()).once('close', () => this.#goOnWhenHeard());
    this.#gate.bind((bytes) => {
      this.#hasSpoken = true;
      this.#giveClient(bytes);
    });
    this.#gate.takeFromProvider(rest);
    this.#open();
  }

  #takeFromProvider(chunk: Buffer, give: Give): void {
    this.#giveClient = give;
    if (!this.#isOpen) return give(chunk);
    for (const bytes of this.#gate.takeFromProvider(chunk)) give(bytes);
    this.#goOnWhenHeard();
  }

  /** NOTE: who asks on and on and reads nothing would have its refusals pile up here. */
  #waitUntilHeard(): Promise<void> | void {
    if (!this.#hasSpoken && this.#gate.unsaidBytes === 0) return;
    if (this.#isHeard) {
      this.#hasSpoken = false;
      return;
    }
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  get #isHeard(): boolean {
    const { destroyed, writableEnded, writableLength } = this.#client;
    return destroyed || writableEnded || writableLength + this.#gate.unsaidBytes <= maxUnheardBytes;
  }

  #goOnWhenHeard(): void {
    const goOn = this.#goOn;
    if (goOn === null || !this.#isHeard) return;
    this.#goOn = null;
    goOn();
  }
}

import type { SocketGate } from '../core/socket.js';
import type { PipeStage, PipeStages } from './tunnel.js';

type Give = (bytes: Buffer) => void;

/** A gate in the two pipes of an upgrade: nothing of the client's goes before the provider has agreed. */
export class GateStages implements PipeStages {
  readonly up: PipeStage;
  readonly down: PipeStage;
  readonly #gate: SocketGate;
  #isOpen = false;
  #open: () => void = () => undefined;
  readonly #whenOpen: Promise<void>;
  #giveClient: Give = () => undefined;

  constructor(gate: SocketGate) {
    this.#gate = gate;
    this.#whenOpen = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.up = {
      take: (chunk, give) =>
        this.#isOpen ? gate.takeFromClient(chunk, give) : this.#whenOpen.then(() => gate.takeFromClient(chunk, give)),
      end: (give) => gate.endOfClient(give),
    };
    this.down = { take: (chunk, give) => this.#takeFromProvider(chunk, give), end: () => undefined };
  }

  /** The provider has agreed. @param rest what came behind its 101, which has gone to the client */
  open(rest: Buffer): void {
    this.#isOpen = true;
    this.#gate.bind((bytes) => this.#giveClient(bytes));
    this.#gate.takeFromProvider(rest);
    this.#open();
  }

  #takeFromProvider(chunk: Buffer, give: Give): void {
    this.#giveClient = give;
    if (!this.#isOpen) return give(chunk);
    for (const bytes of this.#gate.takeFromProvider(chunk)) give(bytes);
  }
}

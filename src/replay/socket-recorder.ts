import { findHeader } from '../cache/reply-headers.js';
import type { SocketMessage, SocketSide, SocketWatch } from '../core/socket.js';
import type { RawHeaders } from '../core/wire.js';
import type { RecordedMessage, SocketInteraction } from './interaction.js';
import type { SocketPorts } from './ports.js';
import { makeSocketForm } from './request-form.js';
import type { AskedSocket } from './sockets.js';

export interface SocketRecorderPorts extends SocketPorts {
  readonly seq: number;
  readonly add: (interaction: SocketInteraction) => void;
  readonly onUnrecorded: (what: string) => void;
}

/** More is passed on and not recorded. */
const maxBytes = 64 * 1024 * 1024;

/** Keeps what both sides say on one WebSocket. */
export class SocketRecorder implements SocketWatch {
  readonly #asked: AskedSocket;
  readonly #ports: SocketRecorderPorts;
  readonly #startedMs: number;
  #openedMs = 0;
  #protocol: string | null = null;
  #messages: ReturnType<SocketPorts['openSocketMessages']> | null = null;
  #kept: RecordedMessage[] = [];
  #bytes = 0;
  #closed: SocketInteraction['socket']['closed'] = null;
  #problem: string | null = null;

  constructor(asked: AskedSocket, ports: SocketRecorderPorts) {
    this.#asked = asked;
    this.#ports = ports;
    this.#startedMs = ports.clockMs();
  }

  onOpen(rawHeaders: RawHeaders): void {
    this.#openedMs = this.#ports.clockMs();
    this.#protocol = findHeader(rawHeaders, 'sec-websocket-protocol');
    this.#messages = this.#ports.openSocketMessages(findHeader(rawHeaders, 'sec-websocket-extensions'), {
      onMessage: (side, message) => this.#keep(side, message),
      onClose: (side, code, reason) => {
        this.#closed ??= { by: side, code, reason };
      },
      onProblem: (_side, problem) => {
        this.#problem ??= problem;
      },
      onBroken: (_side, problem) => {
        this.#problem ??= problem;
      },
    });
  }

  onPassed(): void {
    // Heard as it is taken.
  }

  onData(side: SocketSide, chunk: Buffer): void {
    this.#messages?.write(side, chunk, this.#ports.clockMs());
  }

  onEnd(): void {
    this.#ports.hold(this.#end());
  }

  async #end(): Promise<void> {
    const { head } = this.#asked;
    const where = `the WebSocket ${head.origin.host}${head.path.split('?')[0]}`;
    await this.#messages?.end();
    this.#messages?.close();
    if (this.#messages === null) return;
    if (this.#problem !== null) return this.#ports.onUnrecorded(`${where}: ${this.#problem}`);
    this.#ports.add({
      ...{ seq: this.#ports.seq, callId: null, latencyMs: this.#ports.clockMs() - this.#startedMs },
      request: makeSocketForm(this.#asked),
      socket: { protocol: this.#protocol, messages: this.#kept, closed: this.#closed },
    });
  }

  #keep(from: SocketSide, { bytes, atMs: passedMs, isBinary = false }: SocketMessage): void {
    // What crosses a close frame on its way nobody waits for.
    if (this.#closed !== null) return;
    this.#bytes += bytes.length;
    if (this.#bytes > maxBytes) {
      this.#problem ??= `More than ${maxBytes} bytes were said on it.`;
      this.#kept = [];
      return;
    }
    const atMs = Math.round((passedMs - this.#openedMs) * 1000) / 1000;
    if (isBinary) this.#kept.push({ from, atMs, base64: bytes.toString('base64') });
    else this.#kept.push({ from, atMs, text: maskText(this.#asked, bytes) });
  }
}

/** A message's text with its credentials masked; as it was where it has none. */
export function maskText({ hasSecret, redact }: AskedSocket, bytes: Buffer): string {
  if (!hasSecret(bytes, 'application/json')) return bytes.toString('utf8');
  const masked = redact(bytes, 'application/json');
  return typeof masked === 'string' ? masked : JSON.stringify(masked);
}

import type { Duplex } from 'node:stream';
import { formatCanonical, isObject } from '../cache/canonical-json.js';
import { findHeader } from '../cache/reply-headers.js';
import type { JsonValue } from '../core/call-record.js';
import type { SocketMessage } from '../core/socket.js';
import { makeDuplexPair } from './duplex-pair.js';
import type { RecordedMessage, SocketInteraction } from './interaction.js';
import { type Normalise, normaliseValue } from './normalise.js';
import type { SocketPorts } from './ports.js';
import { maskText } from './socket-recorder.js';
import type { AskedSocket } from './sockets.js';
import { formatAgreement, formatClose, formatFrame } from './websocket-frames.js';

export interface SocketPlayerPorts extends SocketPorts {
  readonly normalise: Normalise;
  readonly onMiss: (message: string) => void;
}

/** A head is smaller. */
const maxHeadBytes = 512 * 1024;
/** What a server says that cannot go on. Source: RFC 6455 section 7.4.1 (read 2026-11-27). */
const internalError = 1011;

/** Plays the provider of a recorded WebSocket: gives its far end, on which what it said comes when it was said. */
export function playSocket(recorded: SocketInteraction, asked: AskedSocket, ports: SocketPlayerPorts): Duplex {
  const [far, own] = makeDuplexPair();
  new RecordedServer({ recorded, asked, ports, end: own }).start();
  return far;
}

interface Parts {
  readonly recorded: SocketInteraction;
  readonly asked: AskedSocket;
  readonly ports: SocketPlayerPorts;
  readonly end: Duplex;
}

type Heard = Required<Pick<SocketMessage, 'bytes' | 'isBinary'>>;

class RecordedServer {
  readonly #parts: Parts;
  readonly #messages: ReturnType<SocketPorts['openSocketMessages']>;
  #head: Buffer | null = Buffer.alloc(0);
  #next = 0;
  #isOver = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#messages = parts.ports.openSocketMessages(null, {
      // In a turn of its own, as over a wire: who reads along hears the client before it hears the answer.
      onMessage: (_side, { bytes, isBinary = false }) => {
        const heard = { bytes: Buffer.from(bytes), isBinary };
        setImmediate(() => this.#hear(heard));
      },
      onClose: (_side, code) => void setImmediate(() => this.#close(code, '')),
      onProblem: (_side, problem) => this.#miss(problem),
      onBroken: (_side, problem) => this.#miss(problem),
    });
  }

  start(): void {
    const { end } = this.#parts;
    end.on('error', () => undefined);
    end.on('data', (chunk: Buffer) => this.#read(chunk)).on('end', () => end.end());
    end.once('close', () => this.#messages.close());
  }

  #read(chunk: Buffer): void {
    if (this.#head === null) return this.#messages.write('client', chunk, this.#parts.ports.clockMs());
    this.#head = Buffer.concat([this.#head, chunk]);
    const at = this.#head.indexOf('\r\n\r\n');
    if (at === -1) {
      if (this.#head.length > maxHeadBytes) this.#parts.end.destroy();
      return;
    }
    const rest = this.#head.subarray(at + 4);
    this.#head = null;
    const { asked, recorded, end } = this.#parts;
    const key = findHeader(asked.head.rawHeaders, 'sec-websocket-key') ?? '';
    end.write(formatAgreement(key, recorded.socket.protocol));
    this.#say();
    if (rest.length > 0) this.#read(rest);
  }

  /** All that the provider said before the client spoke again. */
  #say(): void {
    const { messages, closed } = this.#parts.recorded.socket;
    for (let next = messages[this.#next]; next?.from === 'server' && !this.#isOver; next = messages[this.#next]) {
      this.#next += 1;
      this.#parts.end.write(formatMessage(next));
    }
    if (this.#next >= messages.length && closed?.by === 'server') this.#close(closed.code, closed.reason);
  }

  #hear(message: Heard): void {
    if (this.#isOver) return;
    const next = this.#parts.recorded.socket.messages[this.#next];
    if (next === undefined) return this.#miss('the client says more than it did');
    if (!this.#isEqual(next, message)) return this.#miss(`the client's message ${this.#next + 1} is another`);
    this.#next += 1;
    this.#say();
  }

  #isEqual(recorded: RecordedMessage, { bytes, isBinary }: Heard): boolean {
    if (isBinary || recorded.text === undefined) return isBinary && recorded.base64 === bytes.toString('base64');
    const { asked, ports } = this.#parts;
    return comparable(recorded.text, ports.normalise) === comparable(maskText(asked, bytes), ports.normalise);
  }

  #miss(why: string): void {
    if (this.#isOver) return;
    const { asked, recorded, ports } = this.#parts;
    const where = `${asked.head.origin.host}${asked.head.path.split('?')[0]}`;
    ports.onMiss(`The WebSocket ${where} is not as recorded (number ${recorded.seq + 1}): ${why}. Nothing was sent.`);
    this.#close(internalError, 'llmtap: not in the recording');
  }

  #close(code: number | null, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.end.end(formatClose(code, reason));
  }
}

function formatMessage({ text, base64 }: RecordedMessage): Buffer {
  return text === undefined
    ? formatFrame('binary', Buffer.from(base64 ?? '', 'base64'))
    : formatFrame('text', Buffer.from(text));
}

/** JSON whatever the order of its members, and without the id a client gives each event anew. */
function comparable(text: string, normalise: Normalise): string {
  try {
    const value = JSON.parse(text) as JsonValue;
    if (!isObject(value)) return normalise(text);
    const { event_id: _, ...rest } = value;
    return formatCanonical(normaliseValue(rest, normalise));
  } catch {
    return normalise(text);
  }
}

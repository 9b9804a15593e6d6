import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Origin } from '../core/wire.js';
import type { Connector } from './connector.js';
import type { Door } from './door.js';

export interface TunnelOptions {
  readonly client: Socket;
  readonly door: Door;
  readonly connector: Connector;
  readonly origin: Origin;
  /** Bytes of the client's that were already read. */
  readonly head: Buffer;
  /** Written to the client when the far side is there (`200`), or `null` when it was answered before. */
  readonly greeting: string | null;
  /** What a client is told when the far side cannot be reached; a bare 502 when absent. */
  readonly refuse?: (error: unknown) => string;
}

const refusal = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Relays a connection without looking into it: bytes are counted, nothing else. */
export async function relayTunnel(options: TunnelOptions): Promise<void> {
  const { client, door, connector, origin, head, greeting } = options;
  door.count('tunnels');
  client.once('close', door.begin(client));
  client.pause();
  let far: Socket;
  try {
    far = await connector.openTcp(origin);
  } catch (error) {
    // As any proxy would say; a tunnel to nobody's provider is not ours to record.
    if (greeting === null) client.destroy();
    else client.end(options.refuse?.(error) ?? refusal);
    return;
  }
  door.track(far);
  // Either side may end its half first; what a proxy of the user's was told before is not the client's.
  far.allowHalfOpen = true;
  const before = far.bytesRead + far.bytesWritten;
  far.once('close', () => door.count('tunnelBytes', far.bytesRead + far.bytesWritten - before));
  if (client.destroyed) {
    far.on('error', () => undefined);
    far.destroy();
    return;
  }
  if (greeting !== null) client.write(greeting);
  if (head.length > 0) far.write(head);
  joinSockets(client, far);
}

/** Told of each piece when it was given to a side. */
export type OnGiven = (to: 'client' | 'far', chunk: Buffer) => void;

/** Stands in a pipe. */
export interface PipeStage {
  /** Takes a piece, and gives on what is to go; a promise while it takes no more. */
  take(chunk: Buffer, give: (bytes: Buffer) => void): Promise<void> | void;
  /** Nothing more comes. */
  end(give: (bytes: Buffer) => void): Promise<void> | void;
}

export interface PipeStages {
  readonly up: PipeStage;
  readonly down: PipeStage;
}

/**
 * Pipes both ways, half-closed ends included; an error on one side cuts the other. The returned function parts
 * them again: the far side is closed, the client's stays as it is.
 */
export function joinSockets(client: Socket, far: Duplex, onGiven?: OnGiven, stages?: PipeStages): () => void {
  const cutFar = (): void => void far.destroy();
  const endClient = (): void => client.destroySoon();
  far.on('error', () => client.destroy());
  client.on('error', cutFar).once('close', cutFar);
  far.once('close', endClient);
  const stopUp = pipe(client, far, onGiven && ((chunk) => onGiven('far', chunk)), stages?.up);
  const stopDown = pipe(far, client, onGiven && ((chunk) => onGiven('client', chunk)), stages?.down);
  return () => {
    client.off('error', cutFar).off('close', cutFar);
    far
      .off('close', endClient)
      .removeAllListeners('error')
      .on('error', () => undefined);
    stopUp();
    stopDown();
    far.destroy();
  };
}

/** As `from.pipe(to)`, but that somebody may hear of what was written, or decide on it. The returned function ends it. */
function pipe(
  from: Duplex,
  to: Duplex,
  onGiven: ((chunk: Buffer) => void) | undefined,
  stage: PipeStage | undefined,
): () => void {
  if (onGiven === undefined) {
    from.pipe(to);
    return () => void from.unpipe(to);
  }
  let isTaking = false;
  const give = (chunk: Buffer): void => {
    if (to.destroyed || to.writableEnded) return;
    const hasRoom = to.write(chunk);
    onGiven(chunk);
    if (!hasRoom) from.pause();
  };
  const goOn = (): void => {
    if (!isTaking) from.resume();
  };
  const pass = (chunk: Buffer): void => {
    const taking = stage === undefined ? give(chunk) : stage.take(chunk, give);
    if (taking === undefined) return;
    isTaking = true;
    from.pause();
    void taking.then(() => {
      isTaking = false;
      if (!to.writableNeedDrain) goOn();
    });
  };
  const end = (): void => {
    const ending = stage?.end(give);
    if (ending === undefined) to.end();
    else void ending.then(() => to.end());
  };
  const stop = (): void => {
    from.off('data', pass).off('end', end).pause();
    to.off('drain', goOn).off('close', stop);
  };
  from.on('data', pass).once('end', end);
  to.on('drain', goOn).once('close', stop);
  if (!to.writableNeedDrain) from.resume();
  return stop;
}

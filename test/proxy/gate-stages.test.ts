import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SocketGate } from '../../src/core/socket.js';
import { GateStages } from '../../src/proxy/gate-stages.js';

const answer = Buffer.alloc(64 * 1024, 'n');
/** More than the system takes for a reader that does not read. */
const askedTimes = 1000;

let server: Server;
let client: Socket;
let reader: Socket;
beforeEach(async () => {
  server = net.createServer((socket) => {
    client = socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = once(server, 'connection');
  reader = net.connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  reader.pause();
  await accepted;
});
afterEach(async () => {
  reader.destroy();
  client.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** Answers each piece of its client's by itself, at once or when the provider's message is over. */
class AnsweringGate implements SocketGate {
  unsaidBytes = 0;
  answersAtOnce = true;
  isSilent = false;
  #say: (bytes: Buffer) => void = () => undefined;

  bind(say: (bytes: Buffer) => void): void {
    this.#say = say;
  }

  takeFromClient(): void {
    if (this.isSilent) return;
    if (this.answersAtOnce) this.#say(answer);
    else this.unsaidBytes += answer.length;
  }

  endOfClient(): void {}

  takeFromProvider(chunk: Buffer): readonly Buffer[] {
    const waiting = Array.from({ length: this.unsaidBytes / answer.length }, () => answer);
    this.unsaidBytes = 0;
    return [chunk, ...waiting];
  }
}

interface OpenStages {
  readonly ask: () => Promise<void> | void;
  readonly provide: () => void;
}

function openStages(gate: SocketGate): OpenStages {
  const stages = new GateStages(gate, client);
  stages.open(Buffer.alloc(0));
  const give = (bytes: Buffer): void => void client.write(bytes);
  const provide = (): void => void stages.down.take(Buffer.from('.'), give);
  provide();
  return { ask: () => stages.up.take(Buffer.from('?'), () => undefined), provide };
}

/** Asks until it has to wait; what it then waits for. */
async function askUntilHeld(ask: () => Promise<void> | void): Promise<{ readonly waiting: Promise<void> }> {
  for (let i = 0; i < askedTimes; i += 1) {
    const waiting = ask();
    if (waiting !== undefined) return { waiting };
    await turn();
  }
  throw new Error('it was heard to the end');
}

describe('a client that reads nothing of what the tap answers it', () => {
  it('is heard no further, and on when it has read', async () => {
    const { ask } = openStages(new AnsweringGate());
    const { waiting } = await askUntilHeld(ask);
    expect(client.writableLength).toBeLessThanOrEqual(2 * answer.length);
    reader.resume();
    await waiting;
    expect(client.writableLength).toBe(0);
  });

  it('is let go when it leaves', async () => {
    const { ask } = openStages(new AnsweringGate());
    const { waiting } = await askUntilHeld(ask);
    reader.destroy();
    await waiting;
    expect(client.destroyed).toBe(true);
  });

  it('is heard as long as what it leaves unread is the provider’s', async () => {
    const { ask } = openStages({
      unsaidBytes: 0,
      bind: () => undefined,
      takeFromClient: () => undefined,
      endOfClient: () => undefined,
      takeFromProvider: (chunk) => [chunk],
    });
    while (client.write(answer)) await turn();
    for (let i = 0; i < 100; i += 1) client.write(answer);
    for (let i = 0; i < askedTimes; i += 1) expect(ask()).toBeUndefined();
  });
});

describe('a client that has read what the tap answered it', () => {
  it('is heard on, however much of its provider’s it leaves unread then', async () => {
    const gate = new AnsweringGate();
    const { ask } = openStages(gate);
    reader.resume();
    const waiting = ask();
    await waiting;
    while (client.writableLength > 0) await once(client, 'drain');
    gate.isSilent = true;
    expect(ask()).toBeUndefined();
    reader.pause();
    while (client.write(answer)) await turn();
    for (let i = 0; i < 100; i += 1) client.write(answer);
    for (let i = 0; i < askedTimes; i += 1) expect(ask()).toBeUndefined();
  });

  it('leaves nothing behind where its upgrade is refused', () => {
    const before = client.listenerCount('drain') + client.listenerCount('close');
    new GateStages(new AnsweringGate(), client);
    expect(client.listenerCount('drain') + client.listenerCount('close')).toBe(before);
  });
});

describe('a client whose answers wait for a message of the provider’s', () => {
  it('is heard no further, and on when that is over', async () => {
    const gate = new AnsweringGate();
    gate.answersAtOnce = false;
    const { ask, provide } = openStages(gate);
    const { waiting } = await askUntilHeld(ask);
    expect(gate.unsaidBytes).toBe(2 * answer.length);
    reader.resume();
    provide();
    await waiting;
  });
});

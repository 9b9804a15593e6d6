import { describe, expect, it } from 'vitest';
import { BodyCopy } from '../../src/call/body-copy.js';
import { GatheredPieces } from '../../src/call/gathered-pieces.js';
import { MessageCopies } from '../../src/call/socket-call.js';
import { giveBackMemory, takeMemory } from '../../src/core/spare-memory.js';

const MiB = 1024 * 1024;

describe('spare memory', () => {
  it('is given to the next who needs as much, and to one at a time', () => {
    const memory = takeMemory(5000);
    expect(memory.length).toBe(8192);
    giveBackMemory(memory);
    expect(takeMemory(8192)).toBe(memory);
    expect(takeMemory(8192)).not.toBe(memory);
  });

  it('is as large as asked beyond 1 MiB, and such memory is not kept', () => {
    const memory = takeMemory(MiB + 1);
    expect(memory.length).toBe(MiB + 1);
    giveBackMemory(memory);
    expect(takeMemory(MiB + 1)).not.toBe(memory);
  });

  it('keeps 8 MiB at most', () => {
    const taken = Array.from({ length: 20 }, () => takeMemory(MiB));
    for (const memory of taken) giveBackMemory(memory);
    const again = Array.from({ length: 20 }, () => takeMemory(MiB));
    expect(again.filter((memory) => taken.includes(memory)).length).toBeLessThanOrEqual(8);
  });
});

describe('BodyCopy', () => {
  it('grows without losing a byte, in memory others have written to', () => {
    for (const size of [1, 4096, 4097, 100_000, MiB]) {
      giveBackMemory(takeMemory(size).fill('#'));
      const copy = new BodyCopy(MiB);
      const text = 'abcdefg'.repeat(Math.ceil(size / 7)).slice(0, size);
      for (let at = 0; at < size; at += 333) copy.write(Buffer.from(text.slice(at, at + 333)));
      expect(copy.readText()).toBe(text);
      copy.close();
    }
  });

  it('keeps what was written of another that is open at the same time', () => {
    const [one, two] = [new BodyCopy(MiB), new BodyCopy(MiB)];
    for (let i = 0; i < 3000; i++) {
      one.write(Buffer.from('one '));
      two.write(Buffer.from('two '));
    }
    one.close();
    const three = new BodyCopy(MiB);
    three.write(Buffer.from('three '.repeat(3000)));
    expect(two.readText()).toBe('two '.repeat(3000));
    expect(three.readText()).toBe('three '.repeat(3000));
  });

  it('holds nothing once it is closed, even of what comes later, and gives its memory back once', () => {
    const copy = new BodyCopy(MiB);
    copy.write(Buffer.from('a secret'));
    copy.close();
    copy.write(Buffer.from('late'));
    copy.close();
    expect(copy.readText()).toBeNull();
    const [first, second] = [takeMemory(4096), takeMemory(4096)];
    expect(first).not.toBe(second);
  });

  it('says how much came where it kept less', () => {
    const copy = new BodyCopy(10);
    copy.write(Buffer.from('0123456789abc'));
    expect(copy.readText()).toBe('0123456789\n[cut: 10 of 13 bytes kept]');
  });
});

describe('GatheredPieces', () => {
  it('takes memory again for what comes after its end', () => {
    const blocks: string[] = [];
    const gathered = new GatheredPieces((block) => blocks.push(block.toString()));
    gathered.add(Buffer.from('one'), 1);
    gathered.end();
    gathered.end();
    const other = takeMemory(4096).fill('#');
    gathered.add(Buffer.from('two'), 2);
    expect(other.toString('latin1', 0, 3)).toBe('###');
    gathered.end();
    expect(blocks).toEqual(['one', 'two']);
  });
});

describe('MessageCopies', () => {
  const message = (text: string) => ({ bytes: Buffer.from(text), wireBytes: text.length, atMs: 0 });

  it('of a WebSocket give their memory back when one message takes the place of all, and when they are on record', () => {
    const copies = new MessageCopies({ bodies: 'redacted' });
    copies.add(message('a'.repeat(100)), true);
    copies.replaceBy(message('the last'));
    expect(copies.copy.readText()).toBe('the last');
    copies.close();
    // Behind the last message lies what was kept before it.
    expect(takeMemory(4096).toString('latin1', 0, 12)).toBe('the lastaaaa');
    copies.add(message('late'), true);
    expect([copies.copy.readText(), copies.wireBytes]).toEqual([null, 104]);
  });
});

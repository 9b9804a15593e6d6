import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, it, vi } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import type { LedgerFault } from '../../src/storage/losses.js';
import { findChild, follow, startChild } from './children.js';
import { at, makeCall, makeHome, makeSession } from './records.js';

function collectFaults(): { faults: LedgerFault[]; onFault: (fault: LedgerFault) => void } {
  const faults: LedgerFault[] = [];
  return { faults, onFault: (fault) => void faults.push(fault) };
}

function listIds(home: string): string[] {
  const reader = openLedgerReader({ home });
  const ids = [...reader.listCalls({})].map(({ callId }) => callId);
  reader.close();
  return ids;
}

describe('a file of the ledger', () => {
  it('is readable by its owner only, with its log, in a folder that is, too', async () => {
    const home = join(makeHome(), 'deep', 'home');
    const writer = openLedgerWriter({ home, ...collectFaults() });
    writer.saveCall(makeCall());
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(readdirSync(home).toSorted()).toEqual(['llmtap.db', 'llmtap.db-shm', 'llmtap.db-wal']);
    for (const name of readdirSync(home)) expect(statSync(join(home, name)).mode & 0o777).toBe(0o600);
    await writer.close();
  });

  it('loses the rights others had to it', async () => {
    const home = makeHome();
    writeFileSync(join(home, 'llmtap.db'), '', { mode: 0o644 });
    await openLedgerWriter({ home, ...collectFaults() }).close();
    expect(statSync(join(home, 'llmtap.db')).mode & 0o777).toBe(0o600);
  });

  it('is whole after close, without its log', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault });
    writer.saveSessionOpened(makeSession());
    writer.saveCall(makeCall());
    await writer.close();
    await writer.close();
    expect(existsSync(join(home, 'llmtap.db-wal'))).toBe(false);
    expect(listIds(home)).toHaveLength(1);
    expect(faults).toEqual([]);
  });
});

describe('a call saved twice', () => {
  it('is kept once, as it was first, and told of', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault });
    const call = makeCall({ requestBody: 'first' });
    writer.saveCall(call);
    writer.saveCall({ ...call, model: 'other', requestBody: 'second' });
    await writer.flush(1000);
    const reader = openLedgerReader({ home });
    expect([...reader.listCalls({}, { bodies: true })]).toEqual([call]);
    expect(faults).toEqual([
      expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining(call.callId) as string }),
    ]);
    reader.close();
    await writer.close();
  });
});

describe('a call after close', () => {
  it('is counted as lost and told of', async () => {
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home: makeHome(), onFault });
    await writer.close();
    writer.saveCall(makeCall());
    expect(writer.lostCalls).toBe(1);
    expect(faults).toEqual([
      expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringMatching(/^Lost 1 call:/) as string }),
    ]);
  });
});

describe('a body that JSON.stringify cannot write', () => {
  it('is left out; the call is kept', async () => {
    let body: JsonValue = 'x';
    for (let i = 0; i < 100_000; i++) body = [body];
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault });
    writer.saveCall(makeCall({ requestBody: body }));
    await writer.close();
    expect(listIds(home)).toHaveLength(1);
    expect(faults).toHaveLength(1);
  });
});

describe('killing the writer', () => {
  it('loses no call whose save had returned', async () => {
    const home = makeHome();
    const saved: string[] = [];
    for (const lines of [1, 7, 40, 133, 260]) {
      const child = startChild('write-calls.mjs', [home, '100000', 'run', String(lines * 100)]);
      await child.printed(lines);
      child.process.kill('SIGKILL');
      expect(await child.ended).toBe('SIGKILL');
      expect(child.errors()).toBe('');
      saved.push(...child.lines());
      const kept = new Set(listIds(home));
      expect(saved.filter((id) => !kept.has(id))).toEqual([]);
    }
    const db = new BetterSqlite3(join(home, 'llmtap.db'));
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });
});

describe('several processes', () => {
  it('make one new file at once and lose nothing', async () => {
    const home = join(makeHome(), 'new');
    const children = Array.from({ length: 6 }, (_, i) =>
      startChild('write-calls.mjs', [home, '150', `run-${i}`, '2000']),
    );
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(children.map(() => 0));
    for (const child of children) {
      expect(child.errors()).toBe('');
      expect(child.lines().at(-1)).toBe('closed 0');
    }
    const reader = openLedgerReader({ home });
    expect(reader.listRuns().map(({ calls }) => calls)).toEqual(children.map(() => 150));
    reader.close();
  });
});

describe('a file locked by another process', () => {
  it('blocks nothing: calls wait in memory and arrive in order when it is released', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault });
    writer.saveCall(makeCall({ callId: 'before' }));
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    const calls = Array.from({ length: 500 }, (_, i) => makeCall({ startedAt: at(i), requestBody: `body ${i}` }));
    const startedMs = performance.now();
    for (const call of calls) writer.saveCall(call);
    expect(performance.now() - startedMs).toBeLessThan(500);
    expect(writer.waiting).toBe(500);
    holder.process.stdin.end();
    await vi.waitFor(() => expect(writer.waiting).toBe(0), { timeout: 10_000, interval: 10 });
    const reader = openLedgerReader({ home });
    expect([...reader.listCalls({}, { bodies: true })].filter(({ callId }) => callId !== 'before')).toEqual(calls);
    reader.close();
    await writer.close();
    expect(faults).toEqual([]);
    expect(writer.lostCalls).toBe(0);
  });

  it('keeps the event loop turning while calls wait', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({ home, closeDeadlineMs: 0, ...collectFaults() });
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    writer.saveCall(makeCall());
    const cpu = process.cpuUsage();
    let turns = 0;
    const untilMs = performance.now() + 500;
    while (performance.now() < untilMs) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    // Were each retry to wait for the lock as a reader does, there would be one turn in these 500 ms.
    expect(turns).toBeGreaterThan(50);
    expect(process.cpuUsage(cpu).user).toBeLessThan(5_000_000);
    await writer.close();
  });

  it('costs what passes the bound, told once with the number when it is released', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault, queue: { maxWrites: 10, maxBytes: 1e6 } });
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 25; i++) writer.saveCall(makeCall());
    writer.saveSessionOpened(makeSession());
    expect(faults).toEqual([]);
    holder.process.stdin.end();
    await vi.waitFor(() => expect(writer.waiting).toBe(0), { timeout: 10_000, interval: 10 });
    expect(faults).toEqual([
      expect.objectContaining({
        code: 'STORE_LOCKED',
        message: expect.stringMatching(/^Lost 15 calls and 1 session/) as string,
      }),
    ]);
    await writer.close();
    expect(listIds(home)).toHaveLength(10);
    expect(writer.lostCalls).toBe(15);
  });

  it('that stays locked: close gives up at its deadline and says what is lost', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault, closeDeadlineMs: 200 });
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 3; i++) writer.saveCall(makeCall());
    await writer.close();
    expect(faults).toEqual([
      expect.objectContaining({ code: 'STORE_LOCKED', message: expect.stringMatching(/^Lost 3 calls:/) as string }),
    ]);
  });

  it('that does not exist as a ledger yet is opened when it is released', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    const writer = openLedgerWriter({ home, onFault });
    writer.saveCall(makeCall());
    expect(writer.waiting).toBe(1);
    holder.process.stdin.end();
    await vi.waitFor(() => expect(writer.waiting).toBe(0), { timeout: 10_000, interval: 10 });
    await writer.close();
    expect(faults).toEqual([]);
    expect(listIds(home)).toHaveLength(1);
  });
});

describe('a full disk', () => {
  it('costs bodies first, then keeps calls in memory, and says so', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({
      home,
      onFault,
      maxPages: 60,
      closeDeadlineMs: 50,
      queue: { maxWrites: 20, maxBytes: 1e8 },
    });
    for (let i = 0; i < 10; i++)
      writer.saveCall(makeCall({ startedAt: at(i), requestBody: { text: 'b'.repeat(50_000) } }));
    await writer.flush(100);
    expect(faults.map(({ code }) => code)).toEqual(['STORE_FULL']);
    const reader = openLedgerReader({ home });
    const kept = [...reader.listCalls({}, { bodies: true })];
    reader.close();
    expect(kept).toHaveLength(10);
    expect(kept[0]?.requestBody).not.toBeNull();
    expect(kept[9]?.requestBody).toBeNull();
    while (writer.waiting < 20) {
      writer.saveCall(makeCall());
      if (writer.waiting < 20) await writer.flush(0);
    }
    writer.saveCall(makeCall());
    expect(faults).toHaveLength(1);
    await writer.close();
    expect(faults.map(({ code }) => code)).toEqual(['STORE_FULL', 'STORE_FULL']);
    expect(faults[1]?.message).toMatch(/^Lost 21 calls:/);
  });

  it('takes what waited when there is room again', async () => {
    const home = makeHome();
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ home, onFault, maxPages: 60 });
    for (let i = 0; i < 10; i++)
      writer.saveCall(makeCall({ startedAt: at(i), requestBody: { text: 'b'.repeat(50_000) } }));
    await writer.flush(100);
    let saved = 10;
    for (; writer.waiting < 5; saved++) {
      writer.saveCall(makeCall({ startedAt: at(saved) }));
      if (writer.waiting < 5) await writer.flush(0);
    }
    const reader = openLedgerReader({ home });
    reader.prune({ bodiesOnly: true });
    await vi.waitFor(() => expect(writer.waiting).toBe(0), { timeout: 10_000, interval: 10 });
    expect([...reader.listCalls({})]).toHaveLength(saved);
    reader.close();
    await writer.close();
    expect(writer.lostCalls).toBe(0);
    expect(faults).toHaveLength(1);
  });

  it('of the system neither ends the process nor harms what is there', async () => {
    const home = makeHome();
    // A file size limit in blocks of 512 or 1024 bytes, whichever the shell takes.
    const script = `ulimit -f 600; exec "$0" "$@"`;
    const args = ['-c', script, process.execPath, findChild('write-calls.mjs'), home, '200', 'run', '20000'];
    const child = follow(spawn('/bin/sh', args));
    expect(await child.ended).toBe(0);
    expect(child.errors()).toContain('"code":"STORE_FULL"');
    const lost = Number(/^closed (\d+)$/.exec(child.lines().at(-1) ?? '')?.[1]);
    expect(listIds(home).length + lost).toBe(200);
    expect(listIds(home).length).toBeGreaterThan(5);
  });
});

describe('a file that cannot be opened', () => {
  async function writeTo(path: string): Promise<{ faults: LedgerFault[]; lostCalls: number }> {
    const { faults, onFault } = collectFaults();
    const writer = openLedgerWriter({ path, onFault });
    expect(faults).toEqual([]);
    for (let i = 0; i < 3; i++) writer.saveCall(makeCall());
    await writer.close();
    return { faults, lostCalls: writer.lostCalls };
  }

  it('of a newer version makes one fault, stays as it is, and cannot be read', async () => {
    const home = makeHome();
    await openLedgerWriter({ home, ...collectFaults() }).close();
    const path = join(home, 'llmtap.db');
    const db = new BetterSqlite3(path);
    db.pragma('user_version = 99');
    db.close();
    const { faults, lostCalls } = await writeTo(path);
    expect(faults).toEqual([
      expect.objectContaining({ code: 'STORE_NEWER', hint: expect.stringContaining('Upgrade') as string }),
    ]);
    expect(lostCalls).toBe(3);
    expect(() => openLedgerReader({ home }).info()).toThrowError(expect.objectContaining({ code: 'STORE_NEWER' }));
  });

  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'garbage '.repeat(1000))],
    ['is a folder', (path: string) => mkdirSync(path)],
    ['belongs to another program', (path: string) => new BetterSqlite3(path).exec('CREATE TABLE theirs (a)').close()],
  ])('because it %s makes one fault, counts what is lost, and is left alone', async (_, make) => {
    const path = join(makeHome(), 'llmtap.db');
    make(path);
    const before = statSync(path).isFile() ? readFileSync(path) : null;
    const { faults, lostCalls } = await writeTo(path);
    expect(faults).toEqual([
      expect.objectContaining({ code: 'STORE_UNOPENABLE', message: expect.stringContaining(path) as string }),
    ]);
    expect(lostCalls).toBe(3);
    if (before !== null) expect(readFileSync(path).equals(before)).toBe(true);
    expect(() => openLedgerReader({ path }).listRuns()).toThrowError(
      expect.objectContaining({ code: 'STORE_UNOPENABLE' }),
    );
  });

  it('because its folder cannot be made makes one fault', async () => {
    const file = join(makeHome(), 'file');
    writeFileSync(file, '');
    const { faults } = await writeTo(join(file, 'home', 'llmtap.db'));
    expect(faults.map(({ code }) => code)).toEqual(['STORE_UNOPENABLE']);
  });

  it('because its folder is read-only makes one fault and lets the process go on', async () => {
    const home = makeHome();
    chmodSync(home, 0o555);
    // Root may write anywhere, so the child is nobody then.
    const who = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = startChild('write-calls.mjs', [home, '3', 'run', '0'], who);
    expect(await child.ended).toBe(0);
    expect(child.errors().trim().split('\n')).toHaveLength(1);
    expect(child.errors()).toContain('"code":"STORE_UNOPENABLE"');
    expect(child.lines().at(-1)).toBe('closed 3');
  });
});

describe('a listener that throws', () => {
  it('does not reach whoever saves a call', async () => {
    const writer = openLedgerWriter({
      home: makeHome(),
      onFault: () => {
        throw new Error('listener');
      },
    });
    const call = makeCall();
    writer.saveCall(call);
    expect(() => writer.saveCall(call)).not.toThrow();
    await writer.close();
  });
});

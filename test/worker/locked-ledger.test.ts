import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../storage/children.js';
import { openLab, useSources } from './link-lab.js';

const sources = useSources();

describe('a ledger that another process has locked', () => {
  it('delays neither calls nor sessions, and costs no record once it is released', async () => {
    const { link, home, call, events, faults, until } = await openLab(sources);
    const announced = (): string[] =>
      events.flatMap((event) => (event.type === 'call.completed' ? [event.record.callId] : []));
    const session = await link.openSession();
    await call(session);
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 3; i++) expect((await call(session)).status).toBe(200);
    const other = await link.openSession();
    expect((await call(other)).status).toBe(200);
    // A reply may reach its client before its announcement reaches us.
    await until(() => announced().length === 5);
    const asked = link.records({});
    // It waits for what was announced, and calls do not wait for it.
    expect(await Promise.race([asked, call(session).then(() => 'a call')])).toBe('a call');
    holder.process.stdin.end();
    await holder.ended;
    await until(() => announced().length === 6);
    expect((await asked).map(({ callId }) => callId)).toEqual(expect.arrayContaining(announced().slice(0, 5)));
    expect((await link.records({})).map(({ callId }) => callId)).toEqual(announced());
    expect((await link.runs()).map(({ runId }) => runId).sort()).toEqual(
      [session.session.runId, other.session.runId].sort(),
    );
    expect(faults).toEqual([]);
  });

  it('is asked again until it can be, to delete calls as well, and calls go on meanwhile', async () => {
    const { link, home, call } = await openLab(sources);
    const session = await link.openSession();
    await call(session);
    expect(await link.records({})).toHaveLength(1);
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    const clearing = link.clear();
    const first = await Promise.race([clearing, Promise.all([1, 2, 3].map(() => call(session))).then(() => 'calls')]);
    expect(first).toBe('calls');
    holder.process.stdin.end();
    await holder.ended;
    expect(await clearing).toBeGreaterThanOrEqual(1);
  });

  it('for longer than anybody waits is told, rather than answered without calls', async () => {
    const { link, home, call } = await openLab(sources);
    const session = await link.openSession();
    await call(session);
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    await call(session);
    const locked = { code: 'STORE_LOCKED', hint: expect.stringContaining('ask again') as string };
    await expect(link.records({})).rejects.toMatchObject(locked);
    holder.process.stdin.end();
    await holder.ended;
    expect(await link.records({})).toHaveLength(2);
  }, 20_000);
});

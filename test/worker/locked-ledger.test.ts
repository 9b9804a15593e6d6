import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../storage/children.js';
import { openLab, useSources } from './link-lab.js';

const sources = useSources();

describe('a ledger that another process has locked', () => {
  it('delays neither calls nor sessions, and costs no record once it is released', async () => {
    const { link, home, call, events, faults } = await openLab(sources);
    const session = await link.openSession();
    await call(session);
    const holder = startChild('hold-lock.mjs', [join(home, 'llmtap.db')]);
    await holder.printed(1);
    for (let i = 0; i < 3; i++) expect((await call(session)).status).toBe(200);
    const other = await link.openSession();
    expect((await call(other)).status).toBe(200);
    // What is in the file is answered with.
    expect(await link.records({})).toHaveLength(1);
    const asked = link.records({});
    holder.process.stdin.end();
    await holder.ended;
    await asked;
    const announced = events.flatMap((event) => (event.type === 'call.completed' ? [event.record.callId] : []));
    expect(announced).toHaveLength(5);
    expect((await link.records({})).map(({ callId }) => callId)).toEqual(announced);
    expect((await link.runs()).map(({ runId }) => runId).sort()).toEqual(
      [session.session.runId, other.session.runId].sort(),
    );
    expect(faults).toEqual([]);
  });
});

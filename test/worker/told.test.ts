import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import type { HostLink } from '../../src/core/link.js';
import { openWorkerLink } from '../../src/worker/worker-link.js';
import { type CompiledHost, compileHost } from '../fixtures/compiled-host.js';
import { ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openUpstream } from '../fixtures/upstream.js';

interface Told {
  readonly link: HostLink;
  readonly events: TrackerEvent[];
  /** Resolves when the thread has died and another serves. */
  readonly whenRestarted: Promise<void>;
}

describe('a thread that dies as soon as it has told of something', () => {
  let compiled: CompiledHost;
  beforeAll(() => {
    compiled = compileHost();
    const entry = new URL('worker/dying-entry.js', compiled.url);
    copyFileSync(fileURLToPath(new URL('dying-entry.js', import.meta.url)), entry);
  });
  afterAll(() => compiled.remove());

  async function openDying(after: string): Promise<Told> {
    const home = mkdtempSync(join(tmpdir(), 'llmtap-told-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const upstream = await openUpstream();
    onTestFinished(async () => await upstream.close());
    upstream.handler = (request, response) => {
      request.once('end', () => response.writeHead(200).end(chatReply)).resume();
    };
    const link = await openWorkerLink(
      {
        home,
        env: { DIE_AFTER: after, DIE_ONCE: join(home, 'died') },
        connectTo: [`:443:127.0.0.1:${upstream.port}`],
        upstreamCa: upstream.caPath,
        trackerId: 'tracker-1',
      },
      new URL('worker/dying-entry.js', compiled.url),
    );
    onTestFinished(async () => await link.close());
    const events: TrackerEvent[] = [];
    const whenRestarted = new Promise<void>((resolve) => {
      link.onEvent((event) => {
        events.push(event);
        if (event.type === 'fault.occurred' && event.fault.code === 'HOST_RESTARTED') resolve();
      });
    });
    return { link, events, whenRestarted };
  }

  const types = (events: readonly TrackerEvent[]): string[] => events.map(({ type }) => type);

  it('of a call has kept it', async () => {
    const { link, events, whenRestarted } = await openDying('call.completed');
    const { door } = await link.openSession();
    // Whether the reply's last bytes still came is not what this is about.
    await ask({ port: door.port, ca: link.facts.caPem, body: chatRequest }).catch(() => undefined);
    await whenRestarted;
    const announced = events.flatMap((event) => (event.type === 'call.completed' ? [event.record.callId] : []));
    expect(announced).toHaveLength(1);
    expect((await link.records({})).map(({ callId }) => callId)).toEqual(announced);
  });

  it.each(['session.opened', 'answer 1'])(
    'of a session (%s) has kept that once, and told of it in order',
    async (after) => {
      const { link, events, whenRestarted } = await openDying(after);
      const { session } = await link.openSession();
      await whenRestarted;
      expect(types(events).slice(0, 1)).toEqual(['session.opened']);
      expect((await link.runs()).map(({ runId }) => runId)).toEqual([session.runId]);
    },
  );

  it.each(['session.closed', 'answer 2'])('of its end (%s) has kept that, and told of it in order', async (after) => {
    const { link, events, whenRestarted } = await openDying(after);
    const session = await link.openSession();
    await session.close();
    await whenRestarted;
    expect(types(events).slice(0, 2)).toEqual(['session.opened', 'session.closed']);
    expect((await link.runs()).map(({ endedAt }) => endedAt === null)).toEqual([false]);
  });
});

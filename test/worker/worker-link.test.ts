import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import type { TrackerError } from '../../src/core/errors.js';
import type { LinkOptions } from '../../src/core/link.js';
import { openHost } from '../../src/host/host.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { openWorkerLink } from '../../src/worker/worker-link.js';
import { openTunnel } from '../fixtures/proxy-client.js';
import { chatFrames, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { makeTestCertificate } from '../fixtures/upstream.js';
import { at, makeCall, makeSession } from '../storage/records.js';
import { isGone, makeHome, openLab, useSources } from './link-lab.js';

const sources = useSources();

/** Puts calls into a ledger as a tracker that is long gone has. */
async function seed(home: string, trackerId: string, calls: readonly CallRecord[]): Promise<void> {
  const writer = openLedgerWriter({ home, trackerId, onFault: ({ message }) => expect.fail(message) });
  for (const sessionId of new Set(calls.map((call) => call.sessionId))) {
    writer.saveSessionOpened(makeSession({ sessionId }));
  }
  for (const call of calls) writer.saveCall(call);
  await writer.close();
}

describe('a host in a thread', () => {
  it('tells where its files are and records what goes through its door', async () => {
    const { link, home, call, events } = await openLab(sources);
    const { facts } = link;
    expect(facts).toMatchObject({ home, caPem: readFileSync(facts.caPath, 'utf8') });
    expect(readFileSync(facts.bundlePath, 'utf8')).toContain(facts.caPem.trim());
    expect(readFileSync(facts.extraCaPath, 'utf8')).toContain(facts.caPem.trim());
    const session = await link.openSession({ runId: 'r', configKey: 'c' });
    expect(session.proxyUrl).toBe(`http://127.0.0.1:${session.door.port}`);
    expect((await call(session)).status).toBe(200);
    const [record, ...more] = await link.records({});
    expect(more).toEqual([]);
    expect(record).toMatchObject({ runId: 'r', configKey: 'c', outcome: 'ok', sessionId: session.session.sessionId });
    expect(events.map(({ type }) => type)).toEqual(['session.opened', 'call.completed']);
  });

  it('finds its home by the environment when it is given none', async () => {
    const home = join(makeHome(), 'new');
    const link = await openWorkerLink({ env: { LLMTAP_HOME: home } }, sources.url('worker/entry.js'));
    onTestFinished(async () => await link.close());
    expect(link.facts.home).toBe(home);
  });

  const wrong: Record<string, Partial<LinkOptions>> = {
    'a home that is a file': { home: import.meta.filename },
    'a home that is not absolute': { home: 'somewhere' },
    'no address to connect to': { connectTo: ['nonsense'] },
    'a provider without a host': { providers: [{ name: 'x', baseUrl: 'nonsense' }] },
    'no CA file': { upstreamCa: '/nowhere/ca.pem' },
    'a proxy nobody can speak to': { env: { HTTPS_PROXY: 'gopher://localhost:1' } },
  };
  it.each(Object.entries(wrong))(
    'is refused %s as a host in this thread is, and leaves no thread',
    async (_, given) => {
      const options = { home: makeHome(), env: {}, ...given };
      const threads: Worker[] = [];
      const onThread = (thread: Worker): void => void threads.push(thread);
      const refused = openWorkerLink({ ...options, onThread }, sources.url('worker/entry.js'));
      const error = await refused.catch((caught: TrackerError) => caught);
      const here = await openHost({ ...options }).catch((caught: TrackerError) => caught);
      expect(error).toMatchObject({ name: 'TrackerError', code: (here as TrackerError).code });
      expect((error as TrackerError).hint).not.toBeNull();
      if (given.home === undefined) expect((error as TrackerError).message).toBe((here as TrackerError).message);
      expect(threads.map(isGone)).toEqual([true]);
    },
  );

  it('says why a program that is not its own does not start', async () => {
    const url = pathToFileURL(join(makeHome(), 'absent.js'));
    await expect(openWorkerLink({ env: {} }, url)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('absent.js') as string,
    });
  });

  it('says of a home nobody can look at that it cannot be used', async () => {
    const env = { LLMTAP_HOME: `/${'x'.repeat(5000)}` };
    await expect(openWorkerLink({ env }, sources.url('worker/entry.js'))).rejects.toMatchObject({
      code: 'HOME_UNUSABLE',
    });
  });

  it('passes on the errors of what it is asked, with code, message, hint and the text of the cause', async () => {
    const { link } = await openLab(sources);
    const bindAddress = 'not an address';
    await expect(link.openSession({ bindAddress })).rejects.toMatchObject({
      ...{ name: 'TrackerError', code: 'OPTION_INVALID' },
      message: expect.stringContaining(bindAddress) as string,
      hint: expect.stringContaining('IP address') as string,
    });
    await expect(link.openSession({ bindAddress: '203.0.113.9' })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      cause: expect.objectContaining({ message: expect.stringContaining('EADDRNOTAVAIL') as string }) as Error,
    });
    await expect(link.registerProvider({ name: 'x', baseUrl: '' })).rejects.toMatchObject({ code: 'PROVIDER_INVALID' });
  });

  it('refuses what no thread can be given, and waits for nothing then', async () => {
    const given = { env: {}, connectTo: [() => 1] } as unknown as LinkOptions;
    await expect(openWorkerLink(given, sources.url('worker/entry.js'))).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    const { link } = await openLab(sources);
    const filter = { runId: (() => 1) as unknown as string };
    await expect(link.records(filter)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(link.records({})).resolves.toEqual([]);
  });

  it('ends its thread when closed, and answers nothing afterwards', async () => {
    const { link, threads } = await openLab(sources);
    const session = await link.openSession();
    await Promise.all([link.close(), link.close()]);
    await link.close();
    expect([link.state, ...threads.map(isGone)]).toEqual(['closed', true]);
    await expect(openTunnel(session.door.port, 'api.openai.com:443')).rejects.toThrow();
    const closed = { code: 'HOST_CLOSED' };
    await expect(link.openSession()).rejects.toMatchObject(closed);
    await expect(link.records({})).rejects.toMatchObject(closed);
    await expect(link.clear()).rejects.toMatchObject(closed);
    await expect(session.counts()).rejects.toMatchObject(closed);
    expect(link.bundleFor('/some/file.pem')).toBe(link.facts.bundlePath);
  });

  it('ends a thread that is stuck when closed, once it has had its time', async () => {
    const { link, threads, tell } = await openLab(sources);
    const session = await link.openSession();
    tell('stick', { ms: 60_000 });
    const counting = session.counts().catch((error: unknown) => error);
    const beganMs = performance.now();
    await link.close();
    expect(performance.now() - beganMs).toBeLessThan(7000);
    expect(await counting).toMatchObject({ code: 'HOST_CLOSED' });
    expect(threads.map(isGone)).toEqual([true]);
  });

  it('cuts at its close what is asked and under way', async () => {
    const { link, home, upstream, call } = await openLab(sources);
    await seed(
      home,
      'tracker-1',
      Array.from({ length: 2000 }, () => makeCall()),
    );
    const session = await link.openSession();
    upstream.handler = (_request, response) => void response.writeHead(200).write('{');
    const calling = call(session).catch(() => undefined);
    while (upstream.seen.length === 0) await session.counts();
    const [records] = await Promise.allSettled([link.records({}), link.close(), calling]);
    if (records.status === 'rejected') expect(records.reason).toMatchObject({ code: 'HOST_CLOSED' });
    const ledger = openLedgerReader({ home });
    expect(ledger.listRuns({ limit: 1 })[0]?.endedAt).not.toBeNull();
    ledger.close();
  });

  it('drains a session when asked to, and tells what passed through it afterwards, too', async () => {
    const { link, upstream, call, events } = await openLab(sources);
    const session = await link.openSession();
    upstream.handler = (request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatFrames[0]);
      request.once('end', () => void draining.then(() => response.end(chatFrames.slice(1).join('')))).resume();
    };
    let beginDraining = (): void => undefined;
    const draining = new Promise<void>((resolve) => {
      beginDraining = resolve;
    });
    const calling = call(session, chatStreamRequest);
    while (upstream.seen.length === 0) await session.counts();
    const closing = session.close({ drain: true });
    beginDraining();
    expect((await calling).complete).toBe(true);
    await closing;
    await session.close();
    expect(await session.counts()).toMatchObject({ calls: 1, faults: 0 });
    expect(events.map(({ type }) => type)).toEqual(['session.opened', 'call.completed', 'session.closed']);
    await expect(openTunnel(session.door.port, 'api.openai.com:443')).rejects.toThrow();
  });

  it('cuts what a session drains when it is closed once more', async () => {
    const { link, upstream, call } = await openLab(sources);
    const session = await link.openSession();
    upstream.handler = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatFrames[0]);
    const calling = call(session, chatStreamRequest);
    while (upstream.seen.length === 0) await session.counts();
    await Promise.all([session.close({ drain: true }), session.close()]);
    expect((await calling).complete).toBe(false);
    expect((await link.records({})).map(({ outcome }) => outcome)).toEqual(['client_aborted']);
  });
});

describe('queries over a link', () => {
  it('see every call that was announced', async () => {
    const { link, call, events, until } = await openLab(sources);
    const session = await link.openSession();
    const listed: number[] = [];
    for (let count = 1; count <= 20; count++) {
      const calling = call(session);
      await until(() => events.filter(({ type }) => type === 'call.completed').length === count);
      listed.push((await link.records({})).length);
      await calling;
    }
    expect(listed).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('give all pages, oldest first, of this tracker alone, with bodies only when asked for', async () => {
    const { link, home } = await openLab(sources);
    const calls = Array.from({ length: 600 }, (_, i) =>
      makeCall({ startedAt: at(600 - i), requestBody: { number: i }, dataId: i % 2 === 0 ? 'even' : null }),
    );
    await seed(home, 'tracker-1', calls);
    await seed(home, 'tracker-2', [makeCall({ sessionId: 'sess_00000000000b' })]);
    const ids = calls.map(({ callId }) => callId).reverse();
    expect((await link.records({})).map(({ callId }) => callId)).toEqual(ids);
    expect((await link.records({})).every(({ requestBody }) => requestBody === null)).toBe(true);
    const bodies = await link.records({ dataId: 'even' }, { bodies: true, limit: 20 });
    expect(bodies.map(({ requestBody }) => requestBody)).toEqual(
      Array.from({ length: 20 }, (_, i) => ({ number: 598 - 2 * i })),
    );
    expect(await link.records({ dataId: null }, { limit: 0 })).toEqual([]);
  });

  it('give frozen values, also to listeners', async () => {
    const { link, call, events, home } = await openLab(sources);
    await seed(home, 'tracker-1', [makeCall({ model: '__proto__', cached: true, cachedLatencyMs: 7 })]);
    const session = await link.openSession();
    await call(session);
    const [, record] = await link.records({});
    const usage = await link.usage({});
    const summary = await link.summary({});
    const runs = await link.runs();
    const announced = events.flatMap((event) => (event.type === 'call.completed' ? [event.record] : []));
    expect(announced).toHaveLength(1);
    for (const one of [
      record,
      record?.usage,
      record?.finishReasons,
      usage,
      Object.values(usage)[0],
      summary,
      summary.models,
    ]) {
      expect(Object.isFrozen(one)).toBe(true);
    }
    for (const one of [session.session, runs, runs[0]?.models, ...announced, announced[0]?.usage, events[0]]) {
      expect(Object.isFrozen(one)).toBe(true);
    }
    expect(Object.keys(usage)).toEqual(expect.arrayContaining(['__proto__', 'gpt-4o-2024-08-06']));
    expect(usage['gpt-4o-2024-08-06']).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 5, unknownCalls: 0 });
    expect('toString' in usage).toBe(false);
    expect(await link.cachedLatencyMs({})).toBe(7);
    expect(await link.cachedLatencyMs({ runId: 'other' })).toBe(0);
    expect(summary.calls).toBe(2);
  });

  it('delete the calls of this tracker alone, and say how many', async () => {
    const { link, home } = await openLab(sources);
    await seed(
      home,
      'tracker-1',
      Array.from({ length: 450 }, () => makeCall({ requestBody: 'x' })),
    );
    await seed(home, 'tracker-2', [makeCall({ sessionId: 'sess_00000000000b' })]);
    expect(await link.clear()).toBe(450);
    expect(await link.clear()).toBe(0);
    expect(await link.records({})).toEqual([]);
    const ledger = openLedgerReader({ home });
    expect([...ledger.listCalls({})]).toHaveLength(1);
    ledger.close();
  });

  it('answer for the calls of a link that was given no tracker’s id', async () => {
    const { link, call } = await openLab(sources, { trackerId: undefined } as never);
    await call(await link.openSession());
    expect(await link.records({})).toHaveLength(1);
  });
});

describe('a bundle made over a link', () => {
  it('holds the user’s certificates and ours, and is asked for once', async () => {
    const { link, home, threads } = await openLab(sources);
    const { ca } = makeTestCertificate('corporate.example');
    const file = join(home, 'corporate.pem');
    writeFileSync(file, ca);
    expect([link.bundleFor(undefined), link.bundleFor('')]).toEqual([link.facts.bundlePath, link.facts.bundlePath]);
    const path = link.bundleFor(file);
    expect(path).not.toBe(link.facts.bundlePath);
    expect(readFileSync(path, 'utf8')).toContain(ca.trim());
    expect(readFileSync(path, 'utf8')).toContain(link.facts.caPem.trim());
    let asked = 0;
    const [thread] = threads;
    if (thread === undefined) throw new Error('there is no thread');
    thread.postMessage = () => {
      asked += 1;
    };
    expect(link.bundleFor(file)).toBe(path);
    Reflect.deleteProperty(thread, 'postMessage');
    expect(asked).toBe(0);
  });

  it('is the usual one when the thread is stuck, which is waited for once a turn of the loop', async () => {
    const { link, tell } = await openLab(sources);
    tell('stick', { ms: 6000 });
    const beganMs = performance.now();
    const paths = ['/a.pem', '/b.pem', '/c.pem'].map((file) => link.bundleFor(file));
    expect(performance.now() - beganMs).toBeGreaterThan(4900);
    expect(performance.now() - beganMs).toBeLessThan(7000);
    expect(new Set(paths)).toEqual(new Set([link.facts.bundlePath]));
  });
});

describe('events over a link', () => {
  it('reach every listener in order, whatever another throws, which the ledger alone is told', async () => {
    const lab = await openLab(sources);
    lab.link.onEvent(() => {
      throw new Error('a bad listener');
    });
    const types: string[] = [];
    lab.link.onEvent(({ type }) => void types.push(type));
    const session = await lab.link.openSession();
    await lab.call(session);
    await session.close();
    expect(types).toEqual(['session.opened', 'call.completed', 'session.closed']);
    expect(lab.faults).toEqual([]);
    await lab.link.close();
    const ledger = openLedgerReader({ home: lab.home });
    const told = ledger.listFaults({});
    expect(told.map(({ code }) => code)).toEqual(['LISTENER_FAILED', 'LISTENER_FAILED', 'LISTENER_FAILED']);
    expect(told[0]?.message).toContain('a bad listener');
    ledger.close();
  });

  it('from before anybody listens are kept where they are faults', async () => {
    const home = makeHome();
    writeFileSync(join(home, 'llmtap.db'), 'this is no database at all, whatever it is called');
    const link = await openWorkerLink({ home, env: {} }, sources.url('worker/entry.js'));
    onTestFinished(async () => await link.close());
    await link.openSession();
    const codes: string[] = [];
    link.onEvent((event) => void codes.push(event.type === 'fault.occurred' ? event.fault.code : event.type));
    expect(codes).toEqual(['STORE_UNOPENABLE']);
    link.onEvent(() => void codes.push('second'));
    expect(codes).toEqual(['STORE_UNOPENABLE']);
  });

  it('tell of errors in the thread that nobody caught, and the host goes on', async () => {
    const { link, tell, until, faults, call, threads } = await openLab(sources);
    const session = await link.openSession();
    tell('throw');
    tell('reject');
    await until(() => faults.length === 2);
    expect(faults.map(({ code }) => code)).toEqual(['INTERNAL', 'INTERNAL']);
    expect(faults.map(({ message }) => message)).toEqual([
      expect.stringContaining('planted'),
      expect.stringContaining('planted rejection'),
    ]);
    expect((await call(session)).status).toBe(200);
    expect([link.state, threads.length]).toEqual(['serving', 1]);
  });

  it('and faults of the agent side are kept in the ledger', async () => {
    const { link, until, faults, home } = await openLab(sources);
    const { session } = await link.openSession();
    const fault = { code: 'IN_PROCESS_UNSEEN', message: 'm', hint: 'h', sessionId: session.sessionId } as const;
    link.noteFault(fault);
    await until(() => faults.length === 1);
    await link.close();
    const ledger = openLedgerReader({ home });
    expect(ledger.listFaults({ sessionId: session.sessionId })).toMatchObject([fault]);
    ledger.close();
  });
});

describe('a router over a link', () => {
  it('is asked for the model of every call of a routed session', async () => {
    const questions: unknown[] = [];
    const router = async (question: unknown): Promise<unknown> => {
      questions.push(question);
      return 'another-model';
    };
    const { link, call, upstream } = await openLab(sources, { router });
    await call(await link.openSession());
    await call(await link.openSession({ routed: true }));
    expect(questions).toMatchObject([{ requestedModel: 'gpt-4o', request: JSON.parse(chatRequest) as unknown }]);
    const sent = upstream.seen.map(({ body }) => (JSON.parse(body.toString()) as { model: string }).model);
    expect(sent).toEqual(['gpt-4o', 'another-model']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no idea'))],
    ['answers with what no thread can be given', () => Promise.resolve(() => 'a function')],
    ['answers with what is no model', () => Promise.resolve({ name: 'gpt-4o-mini' })],
    ['never answers', () => new Promise(() => undefined)],
  ])('that %s leaves the call as asked, with one fault', async (_, router) => {
    const { link, call, upstream, faults, until } = await openLab(sources, { router, routerDeadlineMs: 100 });
    const session = await link.openSession({ routed: true });
    expect((await call(session)).status).toBe(200);
    expect((await call(session)).status).toBe(200);
    await until(() => faults.length > 0);
    expect(faults.map(({ code }) => code)).toEqual(['ROUTER_FAILED']);
    expect(upstream.seen.map(({ body }) => body.toString())).toEqual([chatRequest, chatRequest]);
  });
});

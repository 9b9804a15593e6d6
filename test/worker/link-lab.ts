import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { TrackerEvent } from '../../src/core/events.js';
import type { HostLink, LinkedSession } from '../../src/core/link.js';
import type { ThreadLifeOptions } from '../../src/worker/thread-life.js';
import { openWorkerLink } from '../../src/worker/worker-link.js';
import { type CompiledHost, compileHost } from '../fixtures/compiled-host.js';
import { ask, type Reply } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openUpstream, type TestUpstream } from '../fixtures/upstream.js';

export type Fault = Extract<TrackerEvent, { type: 'fault.occurred' }>['fault'];

/** A host in a real thread before a real upstream. */
export interface Lab {
  readonly home: string;
  readonly upstream: TestUpstream;
  readonly link: HostLink;
  /** Every thread started for the link, the newest last. */
  readonly threads: Worker[];
  readonly events: TrackerEvent[];
  readonly faults: Fault[];
  /** Resolves as soon as `isTrue` holds, looked at after every event. */
  readonly until: (isTrue: () => boolean) => Promise<void>;
  /** One call through a session's door. */
  readonly call: (session: LinkedSession, body?: string) => Promise<Reply>;
  /** Sends the newest thread a message of `mortal-entry.js`. */
  readonly tell: (way: string, more?: object) => void;
}

/** `src` compiled once for a test file. */
export interface Sources {
  /** URL of a file below `src`. */
  url(path: string): URL;
}

export function useSources(): Sources {
  let compiled: CompiledHost;
  const url = (path: string): URL => new URL(path, compiled.url);
  beforeAll(() => {
    compiled = compileHost();
    for (const name of ['mortal-entry.js', 'brief-entry.js']) {
      copyFileSync(fileURLToPath(new URL(name, import.meta.url)), url(`worker/${name}`));
    }
  });
  afterAll(() => compiled.remove());
  return { url };
}

/** A folder of the test's own, gone when it ends. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'llmtap-worker-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** A lab of the test's own, closed when it ends. */
export async function openLab(sources: Sources, options: Partial<ThreadLifeOptions> = {}): Promise<Lab> {
  const home = makeHome();
  const upstream = await openUpstream();
  onTestFinished(async () => await upstream.close());
  upstream.handler = (request, response) => {
    const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(chatReply);
    request.once('end', answer).resume();
  };
  const threads: Worker[] = [];
  const connectTo = [`:443:127.0.0.1:${upstream.port}`];
  const usual = { home, env: {}, connectTo, upstreamCa: upstream.caPath, trackerId: 'tracker-1' };
  const onThread = (thread: Worker): void => void threads.push(thread);
  const link = await openWorkerLink({ ...usual, onThread, ...options }, sources.url('worker/mortal-entry.js'));
  onTestFinished(async () => await link.close());
  const events: TrackerEvent[] = [];
  const faults: Fault[] = [];
  const checks = new Set<() => void>();
  link.onEvent((event) => {
    events.push(event);
    if (event.type === 'fault.occurred') faults.push(event.fault);
    for (const check of checks) check();
  });
  return {
    ...{ home, upstream, link, threads, events, faults },
    until: async (isTrue) =>
      await new Promise<void>((resolve) => {
        const check = (): void => {
          if (!isTrue()) return;
          checks.delete(check);
          resolve();
        };
        checks.add(check);
        check();
      }),
    call: async (session, body = chatRequest) => await ask({ port: session.door.port, ca: link.facts.caPem, body }),
    tell: (way, more = {}) => threads.at(-1)?.postMessage({ kind: 'test', way, ...more }),
  };
}

/** A thread that has ended has no id any more. */
export function isGone(thread: Worker | undefined): boolean {
  return thread?.threadId === -1;
}

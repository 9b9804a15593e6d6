import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LLMTracker, type TrackerEvent, type TrackerOptions } from '../../dist/index.js';
import { openProviderProcess, type ProviderProcess } from '../fixtures/provider-process.js';

/** A provider in a process of its own, and trackers led to it, each in a home of its own unless it is given one. */
export interface TrackerLab {
  readonly provider: ProviderProcess;
  readonly options: TrackerOptions;
  /** Where the homes are; thrown away at the end. */
  readonly folder: string;
  /** Not started; closed at the end. */
  makeTracker(options?: TrackerOptions): LLMTracker;
  close(): Promise<void>;
}

export async function openTrackerLab(): Promise<TrackerLab> {
  const provider = await openProviderProcess();
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-tracker-'));
  const trackers: LLMTracker[] = [];
  const options = { connectTo: [`:443:127.0.0.1:${provider.port}`], upstreamCa: provider.caPath };
  return {
    provider,
    options,
    folder,
    makeTracker: (own = {}) => {
      const tracker = new LLMTracker({ home: join(folder, `home-${trackers.length}`), ...options, ...own });
      trackers.push(tracker);
      return tracker;
    },
    close: async () => {
      await Promise.all(trackers.map(async (tracker) => await tracker.close()));
      await provider.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-lab' };

/** The body of a chat call. */
export function makeChat(text: string, extra: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: text }], ...extra });
}

export const chatUrl = 'https://api.openai.com/v1/chat/completions';

export async function startChat(text: string, extra: Readonly<Record<string, unknown>> = {}): Promise<Response> {
  return await fetch(chatUrl, { method: 'POST', headers, body: makeChat(text, extra) });
}

/** One chat call by the built-in fetch; the reply's text. */
export async function chat(text: string, extra: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return await (await startChat(text, extra)).text();
}

/** A program that makes one call by fetch; for `node -e`. */
export function makeProgram(text: string): string {
  const options = JSON.stringify({ method: 'POST', headers, body: makeChat(text) });
  return `fetch(${JSON.stringify(chatUrl)}, ${options}).then((r) => r.text()).then(console.log)`;
}

/** Every event from now on, and a way to wait for one. */
export function listen(tracker: LLMTracker) {
  const events: TrackerEvent[] = [];
  const checks = new Set<() => void>();
  tracker.onEvent((event) => {
    events.push(event);
    for (const check of checks) check();
  });
  const until = async (isTrue: (events: readonly TrackerEvent[]) => boolean): Promise<void> => {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!isTrue(events)) return;
        checks.delete(check);
        resolve();
      };
      checks.add(check);
      check();
    });
  };
  return { events, until };
}

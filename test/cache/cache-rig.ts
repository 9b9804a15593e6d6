import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CacheUse } from '../../src/core/response-cache.js';
import { type AskOptions, ask } from '../fixtures/proxy-client.js';
import { chatReply, chatRequest } from '../fixtures/replies.js';
import { openRig, type Rig } from '../fixtures/rig.js';

export const json = { 'content-type': 'application/json' };

export type CacheRig = Rig & {
  readonly path: string;
  /** One call through the session, or another. */
  call(options?: Partial<AskOptions>): ReturnType<typeof ask>;
};

/** A rig whose session uses a cache of its own, and whose provider answers with a chat completion. */
export async function openCacheRig(
  use: Partial<CacheUse> | null = {},
  options: Parameters<typeof openRig>[0] = {},
): Promise<CacheRig> {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-cached-'));
  const path = join(folder, 'cache', 'cache.db');
  const session = { ...(use === null ? {} : { cache: { mode: 'on' as const, ...use } }), ...options.session };
  const rig = await openRig({ cache: { path }, ...options, session });
  onTestFinished(async () => {
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
  });
  rig.upstream.handler = answerWith(chatReply);
  const call = async (asked: Partial<AskOptions> = {}) =>
    await ask({ port: rig.session.port, ca: rig.ca, body: chatRequest, headers: json, ...asked });
  return { ...rig, path, call };
}

/** Answers whole requests with one body. */
export function answerWith(body: string | Buffer, headers: Readonly<Record<string, string>> = json, status = 200) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.on('end', () => response.writeHead(status, headers).end(body)).resume();
  };
}

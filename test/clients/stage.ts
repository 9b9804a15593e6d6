import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { BilledRequest } from '../../examples/demo/compare.js';
import type { Answer, Ask, SeenRequest } from '../../examples/provider/provider.js';
import type { SummaryFile } from '../../src/cli/run/write-summary-file.js';
import type { CallRecord } from '../../src/core/call-record.js';
import { type ChildEnd, openLab, runChild } from '../e2e/lab.js';
import type { Agent, Way } from './agent.js';
import { openDirectProxy } from './direct-proxy.js';
import { openResponsesSocket } from './responses-socket.js';

const prompt = 'Say the word.';
const limitMs = 90_000;

/** One run of an agent: what it said, what its provider saw, and what is on record of it. */
export interface Run {
  readonly ended: ChildEnd;
  readonly tookMs: number;
  /** Requests that were billed, over HTTP. */
  readonly calls: readonly SeenRequest[];
  /** Requests that were not. */
  readonly others: readonly SeenRequest[];
  /** Those on WebSockets. */
  readonly messages: readonly BilledRequest[];
  /** Empty without the tap. */
  readonly records: readonly CallRecord[];
  /** What `llmtap run` says of it; `null` without the tap. */
  readonly summary: SummaryFile | null;
}

/** A provider for one way of asking an agent, over HTTP/1.1, HTTP/2 and WebSockets. */
export interface Stage {
  /** Through a proxy that reads nothing, as the agent would be without the tap. */
  runDirect(args?: readonly string[]): Promise<Run>;
  /** Through `llmtap run`, with these flags besides. */
  runTapped(args?: readonly string[], flags?: readonly string[]): Promise<Run>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly agent: Agent;
  readonly way: Way;
  /** Where the agent is installed. */
  readonly folder: string;
  readonly answer: (ask: Ask) => Answer;
}

export async function openStage({ agent, way, folder, answer }: StageOptions): Promise<Stage> {
  const sockets = openResponsesSocket(answer);
  const lab = await openLab({
    answer,
    http2: true,
    compress: true,
    // The last is for what its shell asks.
    hosts: [...new Set([...way.hosts, 'api.openai.com'])],
    ...(way.routes && { routes: way.routes }),
    onUpgrade: way.refusesSockets ? refuseUpgrade : sockets.onUpgrade,
  });
  const direct = await openDirectProxy(lab.provider.port);
  const program = [...(agent.isScript ? [process.execPath] : []), join(folder, agent.program)];
  let runs = 0;
  const watch = async (start: (home: Home, runId: string) => Promise<ChildEnd>): Promise<Run> => {
    const before = { requests: lab.provider.requests.length, messages: sockets.seen.length };
    const runId = `run-${++runs}`;
    const startMs = performance.now();
    const ended = await start(makeHome(lab.folder, way), runId);
    const tookMs = performance.now() - startMs;
    const requests = lab.provider.requests.slice(before.requests);
    return {
      ended,
      tookMs,
      calls: requests.filter(isCall),
      others: requests.filter((request) => !isCall(request)),
      messages: sockets.seen.slice(before.messages),
      records: lab.readCalls(runId),
      summary: readSummary(join(lab.folder, `${runId}.json`)),
    };
  };
  const trusting = {
    HTTPS_PROXY: direct.url,
    https_proxy: direct.url,
    NODE_EXTRA_CA_CERTS: lab.caPath,
    SSL_CERT_FILE: lab.caPath,
  };
  return {
    runDirect: (args = []) =>
      watch(({ env, cwd }) =>
        runBounded((onStart) =>
          runChild([...program, ...way.args(prompt), ...args], { env: { ...env, ...trusting }, cwd, limitMs, onStart }),
        ),
      ),
    runTapped: (args = [], flags = []) =>
      watch(({ env, cwd }, runId) =>
        runBounded((onStart) =>
          lab.run([...program, ...way.args(prompt), ...args], {
            env: { ...env, LLMTAP_HOME: lab.home },
            cwd,
            limitMs,
            onStart,
            flags: ['--run-id', runId, '--summary-json', join(lab.folder, `${runId}.json`), ...flags],
          }),
        ),
      ),
    close: async () => {
      sockets.close();
      await direct.close();
      await lab.close();
    },
  };
}

function readSummary(path: string): SummaryFile | null {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

interface Home {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A home of its own for each run: no agent finds what another has left. */
function makeHome(folder: string, way: Way): Home {
  const home = mkdtempSync(join(folder, 'home-'));
  for (const [path, content] of Object.entries(way.files ?? {})) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const [cwd, temporary] = ['work', 'tmp'].map((name) => join(home, name)) as [string, string];
  mkdirSync(cwd);
  mkdirSync(temporary);
  const { PATH = '' } = process.env;
  return { env: { PATH, HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8', ...way.env }, cwd };
}

/** Runs what is started in a group of its own, and ends what of that group is left behind. */
async function runBounded(
  run: (onStart: (child: { readonly pid?: number | undefined }) => void) => Promise<ChildEnd>,
): Promise<ChildEnd> {
  let group: number | undefined;
  try {
    return await run((child) => {
      group = child.pid;
    });
  } finally {
    try {
      if (group !== undefined) process.kill(-group, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  }
}

const unrecorded = new Set(['count_tokens', 'models', 'accounts']);

function isCall({ api, path }: SeenRequest): boolean {
  return api !== null && !unrecorded.has(api) && !path.includes(':countTokens');
}

function refuseUpgrade(_request: IncomingMessage, socket: Duplex): void {
  socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
}

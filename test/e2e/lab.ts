import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeExampleCertificates } from '../../examples/provider/certificates.js';
import {
  type ExampleProvider,
  type ExampleProviderOptions,
  openExampleProvider,
} from '../../examples/provider/provider.js';
import type { CallRecord } from '../../src/core/call-record.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { launcher, makeEnv } from '../cli/launch.js';

/** How a child ended, and what it said. */
export interface ChildEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  /** After so many milliseconds it is killed, and the result rejected; 30,000 when absent. */
  readonly limitMs?: number;
  readonly cwd?: string;
  /** Called with every whole line of its stdout. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  /** Called once it has been started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs a program to its end, within bounds. */
export async function runChild(command: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  const [program = '', ...args] = command;
  const limitMs = options.limitMs ?? 30_000;
  // A group of its own, so that the limit reaches what it has started.
  const child = spawn(program, args, { env: options.env, stdio: 'pipe', detached: true, cwd: options.cwd });
  const said = { stdout: '', stderr: '' };
  let read = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    for (let end = said.stdout.indexOf('\n', read); end >= 0; end = said.stdout.indexOf('\n', read)) {
      options.onLine?.(said.stdout.slice(read, end), child);
      read = end + 1;
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  child.stdin.on('error', () => undefined).end();
  options.onStart?.(child);
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, limitMs);
  try {
    const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...end) => resolve(end));
    });
    if (late) throw new Error(`${command.join(' ')} took more than ${limitMs} ms: ${said.stdout}${said.stderr}`);
    return { status, signal, ...said };
  } finally {
    clearTimeout(limit);
  }
}

export interface RunOptions extends Partial<ChildOptions> {
  /** Flags of `llmtap run`, before `--`. */
  readonly flags?: readonly string[];
}

/** The example provider over TLS and over plain HTTP, and a home of llmtap's, all thrown away at the end. */
export interface Lab {
  readonly folder: string;
  readonly home: string;
  readonly caPath: string;
  /** `https://127.0.0.1:PORT`; through llmtap it answers for every host on port 443. */
  readonly provider: ExampleProvider;
  /** The same over plain HTTP, at `localUrl`. */
  readonly local: ExampleProvider;
  /** `http://localhost:PORT`. */
  readonly localUrl: string;
  /** What a person's shell would hold, keys of the three providers included. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a program through the real `llmtap run`, every host led to the provider and `local` registered. */
  run(command: readonly string[], options?: RunOptions): Promise<ChildEnd>;
  /** The same without leading it anywhere. */
  runPlain(command: readonly string[], options?: RunOptions): Promise<ChildEnd>;
  /** Runs llmtap itself. */
  llmtap(...args: readonly string[]): Promise<ChildEnd>;
  /** The records of a run, oldest first, bodies included. */
  readCalls(runId: string): CallRecord[];
  close(): Promise<void>;
}

const keys = { OPENAI_API_KEY: 'sk-example', ANTHROPIC_API_KEY: 'sk-ant-example', GEMINI_API_KEY: 'gem-example' };

export interface LabOptions extends Omit<ExampleProviderOptions, 'tls'> {
  /** Names the provider has certificates for; those of the example provider when absent. */
  readonly hosts?: readonly string[];
}

export async function openLab({ hosts, ...options }: LabOptions = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-e2e-'));
  const home = join(folder, 'home');
  const certificates = await makeExampleCertificates(folder, hosts);
  const provider = await openExampleProvider({ ...options, tls: certificates });
  const local = await openExampleProvider(options);
  const localUrl = `http://localhost:${local.port}`;
  const env = makeEnv(home, keys);
  const { caPath } = certificates;
  const lead = ['--connect-to', `:443:127.0.0.1:${provider.port}`, '--upstream-ca', caPath];
  const runPlain: Lab['runPlain'] = async (command, { flags = [], ...child } = {}) => {
    const args = ['run', '--quiet', ...flags, '--', ...command];
    return await runChild([process.execPath, launcher, ...args], { env, cwd: folder, ...child });
  };
  const llmtap = async (...args: readonly string[]) =>
    await runChild([process.execPath, launcher, ...args], { env, cwd: folder });
  return {
    folder,
    home,
    caPath,
    provider,
    local,
    localUrl,
    env,
    llmtap,
    run: async (command, { flags = [], ...child } = {}) =>
      await runPlain(command, { flags: [...lead, '--provider', `local=${localUrl}`, ...flags], ...child }),
    runPlain,
    readCalls: (runId) => readCalls(home, runId),
    close: async () => {
      await Promise.all([provider.close(), local.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What stands in the ledger of a home, read as `llmtap calls` reads it. */
export function readCalls(home: string, runId?: string): CallRecord[] {
  const ledger = openLedgerReader({ home });
  try {
    return [...ledger.listCalls(runId === undefined ? {} : { runId }, { bodies: true })];
  } finally {
    ledger.close();
  }
}

/** The path of a program in `children/`. */
export function findChild(name: string): string {
  return fileURLToPath(new URL(`children/${name}`, import.meta.url));
}

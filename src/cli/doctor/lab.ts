import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CanaryProvider, openCanaryProvider } from './canary-provider.js';

export type Env = Readonly<Record<string, string | undefined>>;

export interface LabOptions {
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly deadlineMs: number | undefined;
}

/** Where canaries are tried: nothing of the user's own is written to. */
export interface Lab {
  /** Absolute; holds everything below and goes with the lab. */
  readonly folder: string;
  /** Of a ledger and a CA of its own. */
  readonly home: string;
  readonly provider: CanaryProvider;
  /** The user's, as programs under `llmtap run` inherit it. */
  readonly env: Env;
  /** The same without proxies: the tap dials the provider on loopback. */
  readonly hostEnv: Env;
  /** For each program, where the user set one. */
  readonly deadlineMs: number | undefined;
  /** Ends whatever runs. */
  readonly signal: AbortSignal;
  /** A new folder for one program to work in. */
  makeFolder(name: string): string;
  close(): Promise<void>;
}

const proxyNames = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']);

/** Throws what the system throws where no temporary folder can be made or no port opened. */
export async function openLab({ env, signal, deadlineMs }: LabOptions): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'llmtap-doctor-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const provider = await openCanaryProvider(join(folder, 'provider'));
    return {
      folder,
      home: join(folder, 'home'),
      provider,
      env,
      hostEnv: Object.fromEntries(Object.entries(env).filter(([name]) => !proxyNames.has(name.toUpperCase()))),
      signal,
      deadlineMs,
      makeFolder: (name) => {
        const path = join(folder, 'work', name);
        mkdirSync(path, { recursive: true, mode: 0o700 });
        return path;
      },
      close: async () => {
        await provider.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The variables that have a value, as a child is given them. */
export function pickGiven(env: Env): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) given[name] = value;
  return given;
}

import { makeHookSettings } from '../../src/activation/child-env.js';
import { addRequire } from '../../src/activation/node-options.js';
import type { Origin } from '../../src/core/wire.js';
import { type ChildResult, nodePath, runChild, type TunnelLab } from './tunnel-lab.js';

export interface HookedOptions {
  readonly proxyUrl?: string;
  readonly noProxy?: string;
  readonly registered?: readonly Origin[];
  /** Whether the child trusts the lab's root; it does unless told. */
  readonly trusted?: boolean;
}

/** Runs a CommonJS script in a Node child that has the hook and nothing else of a session. */
export function runHooked(lab: TunnelLab, script: string, options: HookedOptions = {}): Promise<ChildResult> {
  const { proxyUrl = lab.proxyUrl, noProxy = '', registered = [], trusted = true } = options;
  const env = {
    NODE_OPTIONS: addRequire(undefined, lab.hookPath),
    LLMTAP_HOOK: makeHookSettings({ proxyUrl, noProxy, registered }),
    ...(trusted && { NODE_EXTRA_CA_CERTS: lab.caPath }),
  };
  return runChild([nodePath, '-e', script], { env });
}

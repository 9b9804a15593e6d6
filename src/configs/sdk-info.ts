import { readFileSync } from 'node:fs';
import { ownFiles } from '../own-files.js';

/** In whose name a client says that it is there; no person and no machine. Source: as `USAGE_EVENTS`. */
export const sdkContext = Object.freeze({ kind: 'ld_ai', key: 'ld-internal-tracking', anonymous: true });

/** What this client is. */
export function readSdkInfo(): object {
  return { aiSdkName: 'llmtap', aiSdkVersion: readOwnVersion(), aiSdkLanguage: 'javascript' };
}

function readOwnVersion(): string {
  try {
    const manifest = JSON.parse(readFileSync(ownFiles.manifest, 'utf8')) as { version?: string } | null;
    return manifest?.version ?? 'unknown';
  } catch {
    // A bundle carries no manifest of ours, and a version is no reason to fail.
    return 'unknown';
  }
}

import { join } from 'node:path';
import type { ErrorCode } from '../../core/errors.js';

/** What the background process answers to a plan. */
export type ServerReply =
  | {
      readonly type: 'opened';
      readonly sessionId: string;
      readonly runId: string;
      readonly folder: string;
      readonly variables: Readonly<Record<string, string>>;
    }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint: string | null };

/** Where the shell that evaluates `llmtap env` writes its process id. */
export function makePidPath(sessionFolder: string): string {
  return join(sessionFolder, 'shell');
}

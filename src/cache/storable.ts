import type { CachedCall, CacheEnd } from '../core/call-cache.js';

export interface HeardReply {
  readonly status: number;
  readonly contentType: string | null;
  /** Without its content coding; `null` when it was more than is kept. */
  readonly body: Buffer | null;
  /** Why its coding could not be undone; `null` when it could. */
  readonly problem: string | null;
  /** Whether replies that tell of the provider's own tools are kept as well. */
  readonly keepsToolResults: boolean;
  readonly hasSecret: CachedCall['hasSecret'];
}

/**
 * What a reply says of tools its provider ran in answering, and whose doing a stored reply would only tell of: code that was
 * executed, MCP servers that were called. Searching and fetching leave nothing behind, and are no reason. A quotation of
 * such words is not taken for them: inside of a JSON string its quotation marks are escaped.
 *
 * Source: the types of the npm packages `openai` 6.49 (`ResponseOutputItem`), `@anthropic-ai/sdk` 1.11 (`BetaContentBlock`) and
 * `@google/genai` 2.32 (`Part`), read 2026-11-27.
 */
const providerTools =
  /"type"\s*:\s*"(?:mcp_call|mcp_tool_use|mcp_tool_result|code_interpreter_call|shell_call_output|(?:bash_|text_editor_)?code_execution_tool_result)"|"(?:codeExecutionResult|executableCode|code_execution_result)"\s*:/;

const jsonTypes = /^application\/(?:[\w.-]+\+)?json\b/i;
const streamTypes = /event-?stream|ndjson|jsonl|json-seq|stream\+json/i;

/**
 * Why a reply is not to be kept, as a sentence; `null` for one that may be given again. One that is made in the background is
 * answered at once by its id and `status`, `queued` or `in_progress` (`ResponseStatus` of npm `openai` 6.49, `Interaction` of npm
 * `@google/genai` 2.32, read 2026-11-27): what is asked for by that id later goes stale.
 */
export function findStoringObstacle(reply: HeardReply, end: Pick<CacheEnd, 'outcome' | 'facts'>): string | null {
  const { status, contentType, body, problem, keepsToolResults, hasSecret } = reply;
  const { outcome, facts } = end;
  if (outcome !== 'ok' || facts === null) return 'The reply was not kept: it did not come whole.';
  if (status !== 200) return `The reply was not kept: its status is ${status}.`;
  if (problem !== null) return `The reply was not kept: ${problem}`;
  if (body === null) return 'The reply was not kept: it is larger than one entry may be.';
  if (facts.error !== null) return 'The reply was not kept: it states an error.';
  if (!facts.complete) return 'The reply was not kept: the stream ended before its own end.';
  const isJson = jsonTypes.test(contentType ?? '');
  if (!isJson && !streamTypes.test(contentType ?? '')) {
    return `The reply was not kept: it is no JSON and no stream (${(contentType ?? 'no content type').slice(0, 60)}).`;
  }
  const text = body.toString('utf8');
  const json = isJson ? readJson(text) : null;
  if (isJson && json === null) return 'The reply was not kept: it is no whole JSON document.';
  const { status: said } = json ?? {};
  if (said === 'queued' || said === 'in_progress')
    return `The reply was not kept: it says "${said}", and holds no answer.`;
  if (!keepsToolResults && providerTools.test(text)) {
    return 'The reply was not kept: it tells of tools its provider ran (--cache-tool-results keeps such replies).';
  }
  return hasSecret(body, contentType) ? 'The reply was not kept: it holds a credential.' : null;
}

/** An object or a list; `null` for anything else, and for what is no JSON. */
function readJson(text: string): { readonly status?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

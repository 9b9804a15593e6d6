import type { JsonValue } from '../core/call-record.js';
import type { RawHeaders } from '../core/wire.js';
import { findText } from './json-fields.js';

const MAX_VALUE_CHARS = 512;
const MAX_LONG_VALUE_CHARS = 1024;

/**
 * Headers by which agents name their own session, in lower case, with the characters kept of each.
 *
 * Claude Code `x-claude-code-session-id`, and of subagents `x-claude-code-agent-id` and `x-claude-code-parent-agent-id`; Codex
 * `session-id`, `thread-id`, before `session_id` and `conversation_id`, `x-codex-turn-metadata` (JSON with the workspaces), and
 * of subagents `x-codex-parent-thread-id` and `x-openai-subagent`; pi `session_id`; Grok CLI `x-grok-…`; opencode
 * `x-opencode-session` to its own provider, to all others `x-session-id` (`x-session-affinity` repeats it), and of
 * subagents `x-parent-session-id`; any of them W3C's `traceparent`. Sources: https://github.com/thevibeworks/cctrace (docs/clients.md),
 * https://github.com/lis186/ccxray/issues/28, https://github.com/Teraflop-Inc/dev-agent-lens/issues/69, the npm packages
 * @anthropic-ai/claude-code 2.1.332, @openai/codex 0.171.0 and opencode-ai 1.18.33 (read 2026-11-27)
 */
const SESSION_HEADERS: ReadonlyMap<string, number> = new Map([
  ['x-claude-code-session-id', MAX_VALUE_CHARS],
  ['x-claude-code-agent-id', MAX_VALUE_CHARS],
  ['x-claude-code-parent-agent-id', MAX_VALUE_CHARS],
  ['session-id', MAX_VALUE_CHARS],
  ['thread-id', MAX_VALUE_CHARS],
  ['session_id', MAX_VALUE_CHARS],
  ['conversation_id', MAX_VALUE_CHARS],
  ['x-codex-turn-metadata', MAX_LONG_VALUE_CHARS],
  ['x-codex-parent-thread-id', MAX_VALUE_CHARS],
  ['x-openai-subagent', MAX_VALUE_CHARS],
  ['x-grok-session-id', MAX_VALUE_CHARS],
  ['x-grok-conv-id', MAX_VALUE_CHARS],
  ['x-opencode-session', MAX_VALUE_CHARS],
  ['x-session-id', MAX_VALUE_CHARS],
  ['x-parent-session-id', MAX_VALUE_CHARS],
  ['traceparent', MAX_VALUE_CHARS],
]);

/**
 * Places in a request's body that name a session or its user. OpenAI and compatible APIs, Kimi among them:
 * `prompt_cache_key`, `safety_identifier`, `user`, `previous_response_id`, `conversation`; Anthropic:
 * `metadata.user_id` (Claude Code puts account and session there); Gemini CLI: `user_prompt_id`, `request.session_id`;
 * Google's interactions: `previous_interaction_id`.
 */
const SESSION_FIELDS: readonly (readonly string[])[] = [
  ['prompt_cache_key'],
  ['safety_identifier'],
  ['user'],
  ['previous_response_id'],
  ['previous_interaction_id'],
  ['conversation'],
  ['conversation', 'id'],
  ['metadata', 'user_id'],
  ['user_prompt_id'],
  ['request', 'session_id'],
];

/** What a request's body says of its session: dotted names to values of at most 512 characters; `null` if nothing. */
export function readBodySession(body: JsonValue): Readonly<Record<string, string>> | null {
  const found = new Map<string, string>();
  for (const keys of SESSION_FIELDS) {
    const value = findText(body, ...keys);
    if (value !== undefined) found.set(keys.join('.'), value.slice(0, MAX_VALUE_CHARS));
  }
  return found.size === 0 ? null : Object.fromEntries(found);
}

/**
 * Everything a request says of its session: known headers (names in lower case, the first of each), and what the body
 * said (`RequestFacts.wireSession`). Values are bounded: 512 characters, `x-codex-turn-metadata` 1024. `null` if there
 * is nothing.
 *
 * ```ts
 * readWireSession(['X-Claude-Code-Session-Id', 'b1e2'], null)   // { 'x-claude-code-session-id': 'b1e2' }
 * ```
 */
export function readWireSession(
  rawHeaders: RawHeaders,
  bodySession: Readonly<Record<string, string>> | null,
): Readonly<Record<string, string>> | null {
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const value = rawHeaders[at + 1]?.trim() ?? '';
    const maxChars = SESSION_HEADERS.get(name);
    if (maxChars !== undefined && value !== '' && !found.has(name)) found.set(name, value.slice(0, maxChars));
  }
  if (found.size === 0) return bodySession;
  return { ...Object.fromEntries(found), ...bodySession };
}

import type { JsonValue } from '../../../core/call-record.js';
import { asText } from './message.js';

/** What providers say, by the words of the conventions; others stay as they are. */
const names: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['end_turn', 'stop_sequence', 'eos', 'complete', 'completed'].map((name) => [name, 'stop'])),
  ...Object.fromEntries(['max_tokens', 'max_output_tokens', 'model_length'].map((name) => [name, 'length'])),
  ...Object.fromEntries(['tool_calls', 'tool_use', 'function_call'].map((name) => [name, 'tool_call'])),
  ...Object.fromEntries(
    ['safety', 'refusal', 'guardrail_intervened', 'content_filtered', 'prohibited_content', 'blocklist'].map((name) => [
      name,
      'content_filter',
    ]),
  ),
  failed: 'error',
};
const own = new Set(['stop', 'length', 'content_filter', 'tool_call', 'error']);

/** `error` where a reason was due and none came, as the conventions want it. */
export function nameFinish(reason: JsonValue | undefined): string {
  const said = asText(reason);
  if (said === null) return 'error';
  const plain = said.toLowerCase();
  return own.has(plain) ? plain : (names[plain] ?? said);
}

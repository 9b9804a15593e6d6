import { describe, expect, it } from 'vitest';
import { readBodySession, readWireSession } from '../../src/providers/wire-session.js';

describe('the session on the wire', () => {
  it.each([
    'x-claude-code-session-id',
    'x-claude-code-agent-id',
    'x-claude-code-parent-agent-id',
    'session-id',
    'thread-id',
    'session_id',
    'conversation_id',
    'x-codex-turn-metadata',
    'x-codex-parent-thread-id',
    'x-openai-subagent',
    'x-grok-session-id',
    'x-grok-conv-id',
    'x-opencode-session',
    'x-session-id',
    'x-parent-session-id',
  ])('is read from the header %s in any case', (name) => {
    expect(readWireSession(['Host', 'x', name.toUpperCase(), ' b1e2 '], null)).toEqual({ [name]: 'b1e2' });
  });

  it.each([
    [{ prompt_cache_key: 'kimi-1' }, { prompt_cache_key: 'kimi-1' }],
    [{ metadata: { user_id: 'user_a_session_b' } }, { 'metadata.user_id': 'user_a_session_b' }],
    [
      { safety_identifier: 's', user: 'u' },
      { safety_identifier: 's', user: 'u' },
    ],
    [{ previous_response_id: 'resp_1' }, { previous_response_id: 'resp_1' }],
    [{ conversation: 'conv_1' }, { conversation: 'conv_1' }],
    [{ conversation: { id: 'conv_1' } }, { 'conversation.id': 'conv_1' }],
    [
      { user_prompt_id: 'p', request: { session_id: 's' } },
      { user_prompt_id: 'p', 'request.session_id': 's' },
    ],
  ])('is read from the body %j', (body, session) => {
    expect(readBodySession(body)).toEqual(session);
  });

  it.each([[null], ['text'], [[1]], [{}], [{ user: '' }], [{ user: 7, metadata: 'x', conversation: null }]])(
    'is nothing in the body %j',
    (body) => {
      expect(readBodySession(body)).toBeNull();
    },
  );

  it('joins headers and body', () => {
    expect(readWireSession(['session-id', 'a'], { user: 'u' })).toEqual({ 'session-id': 'a', user: 'u' });
    expect(readWireSession(['accept', '*/*'], { user: 'u' })).toEqual({ user: 'u' });
  });

  it('is null when nobody said anything', () => {
    expect(readWireSession(['authorization', 'Bearer x', 'session-id', ' '], null)).toBeNull();
  });

  it('is bounded, and takes the first of a repeated header', () => {
    const long = 'x'.repeat(5000);
    const session = readWireSession(['session-id', long, 'session-id', 'second', 'x-codex-turn-metadata', long], null);
    expect(session?.['session-id']).toBe('x'.repeat(512));
    expect(session?.['x-codex-turn-metadata']).toBe('x'.repeat(1024));
    expect(readBodySession({ user: long })?.user).toBe('x'.repeat(512));
  });
});

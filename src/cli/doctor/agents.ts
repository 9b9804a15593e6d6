/** An agent's own command, and a line by which its user can see for himself what is seen of it. */
export interface Agent {
  readonly name: string;
  readonly trial: string;
}

/**
 * Agents are found and asked for their version, no more: whatever they do beyond is done with a prompt and the user's
 * account. The trials are command lines without a terminal, tried 2026-11-21.
 */
export const agents: readonly Agent[] = [
  { name: 'claude', trial: 'claude -p "Say hello"' },
  { name: 'codex', trial: 'codex exec --skip-git-repo-check "Say hello"' },
  { name: 'gemini', trial: 'gemini --skip-trust -p "Say hello"' },
  { name: 'opencode', trial: 'opencode run "Say hello"' },
  { name: 'qwen', trial: 'qwen -p "Say hello"' },
  { name: 'pi', trial: 'pi -p "Say hello"' },
  { name: 'copilot', trial: 'copilot -p "Say hello"' },
  { name: 'cline', trial: 'cline "Say hello"' },
  { name: 'openclaw', trial: 'openclaw agent exec "Say hello"' },
  { name: 'amp', trial: 'amp -x "Say hello"' },
  { name: 'aider', trial: 'aider --message "Say hello"' },
];

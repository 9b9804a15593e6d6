import type { Agent } from './agent.js';
import { claudeCode } from './agents/claude-code.js';
import { codex } from './agents/codex.js';
import { geminiCli } from './agents/gemini-cli.js';
import { opencode } from './agents/opencode.js';
import { pi } from './agents/pi.js';
import { qwenCode } from './agents/qwen-code.js';

export const agents: readonly Agent[] = [claudeCode, codex, geminiCli, opencode, qwenCode, pi];

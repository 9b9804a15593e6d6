/**
 * What providers call the tier of the usual price: OpenAI `default` and `auto`, Anthropic `standard`, Groq `on_demand`,
 * Gemini `standard`, Vertex `ON_DEMAND`, Bedrock `default`. Sources: npm packages `openai` 6.49, `@anthropic-ai/sdk` 1.11,
 * `groq-sdk` 1.6, `@google/genai` 2.32 (read 2026-11-27).
 */
const standardTiers: ReadonlySet<string> = new Set(['default', 'auto', 'standard', 'on_demand']);

/** Whether a call of this tier costs the usual price. A reply that states none was served as usual. */
export function isStandardTier(tier: string | null): boolean {
  return tier === null || standardTiers.has(tier.toLowerCase());
}

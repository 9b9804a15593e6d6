import type { RouteDecision } from './routing.js';

/** No provider's model has so long a name; what has is no name, and is kept out of records. */
const maxModelChars = 256;
const maxKeyChars = 8192;
const maxFallbacks = 16;
const maxPlaceChars = 128;
/** What a timer of Node takes. */
const maxTimeoutMs = 2 ** 31 - 1;

export type AnswerReading =
  | { readonly ok: true; readonly decision: RouteDecision | null }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads what a router answered. The problem fills "answered with …", and never repeats what stands in the answer, for that
 * may hold a key.
 */
export function readRouteAnswer(answer: unknown): AnswerReading {
  if (answer === null || answer === undefined) return { ok: true, decision: null };
  const problem = findProblem(answer, 0);
  if (problem !== null) return { ok: false, problem };
  return { ok: true, decision: typeof answer === 'string' ? { model: answer } : (answer as RouteDecision) };
}

/** A choice as a decision. */
export function makeDecision(choice: string | RouteDecision): RouteDecision {
  return typeof choice === 'string' ? { model: choice } : choice;
}

function findProblem(answer: unknown, depth: number): string | null {
  if (typeof answer === 'string') return findNameProblem(answer);
  if (Array.isArray(answer)) return 'an array';
  if (typeof answer !== 'object' || answer === null) return `a value of type ${typeof answer}`;
  const { model, provider, apiKey, region, project, fallbacks, timeoutMs } = answer as Readonly<
    Record<string, unknown>
  >;
  if (typeof model !== 'string') return 'an object without the name of a model';
  if (provider !== undefined && !isShort(provider, maxModelChars)) return 'a provider that is no name';
  if (apiKey !== undefined && !isHeaderText(apiKey)) return 'an apiKey that no header can carry';
  if (region !== undefined && !isShort(region, maxPlaceChars)) return 'a region that is no name';
  if (project !== undefined && !isShort(project, maxPlaceChars)) return 'a project that is no name';
  if (timeoutMs !== undefined && !isTimeout(timeoutMs)) return 'a timeoutMs that is no number of milliseconds';
  return findNameProblem(model) ?? findFallbackProblem(fallbacks, depth);
}

function findNameProblem(name: string): string | null {
  if (name.trim() === '') return 'an empty name';
  // Half a character has no UTF-8: no URL can hold it.
  if (!name.isWellFormed()) return 'a name that is no text';
  return name.length > maxModelChars ? `a name of ${name.length} characters` : null;
}

function findFallbackProblem(fallbacks: unknown, depth: number): string | null {
  if (fallbacks === undefined) return null;
  if (depth > 0) return 'one with fallbacks of its own';
  if (!Array.isArray(fallbacks)) return 'fallbacks that are no list';
  if (fallbacks.length > maxFallbacks) return `${fallbacks.length} fallbacks, where ${maxFallbacks} are the most`;
  for (const fallback of fallbacks as readonly unknown[]) {
    const problem = findProblem(fallback, depth + 1);
    if (problem !== null) return `a fallback that is ${problem}`;
  }
  return null;
}

function isShort(value: unknown, most: number): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= most;
}

/** Source: RFC 9110, 5.5 (read 2026-11-27). */
function isHeaderText(value: unknown): boolean {
  return typeof value === 'string' && isShort(value, maxKeyChars) && /^[\x21-\x7e]+$/.test(value);
}

function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value <= maxTimeoutMs;
}

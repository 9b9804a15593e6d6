import { isObject, type Shape } from '../core/option-checks.js';

/** What `router` may be, besides `null`. */
export const routerShape: Shape = {
  wanted:
    'a function, { route } with a function, { name, options } as plain data for a router that comes with llmtap, or null',
  isRight: isRouter,
};

function isRouter(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (!isObject(value)) return false;
  const { route, onOutcome, name } = value as Readonly<Record<string, unknown>>;
  if (route === undefined) return typeof name === 'string' && isData(value);
  return typeof route === 'function' && (onOutcome === undefined || typeof onOutcome === 'function');
}

/** Whether the host's thread can be given it. */
function isData(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

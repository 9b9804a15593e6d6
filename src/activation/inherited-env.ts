import type { Env } from './child-env.js';

/** What a child inherits when its caller says nothing. Live: read it when the child is started. */
export function findInheritedEnv(): Env {
  return process.env;
}

import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { readErrorMessage, TrackerError } from '../../core/errors.js';
import type { Host, HostOptions, SessionOptions } from '../../core/host.js';
import { isObject } from '../../core/option-checks.js';
import { RouterDesk } from '../../core/router-desk.js';
import type { Router, RouterDescription, RouterObject } from '../../core/routing.js';
import type { Session } from '../../core/session.js';

/** A router of the user's, as a host and a session take it. */
export interface OpenedRouter {
  readonly host: Pick<HostOptions, 'router'>;
  readonly session: Pick<SessionOptions, 'router' | 'routed'>;
  /** Has it asked for the calls of a session from now on. */
  attach(host: Host, session: Session): void;
}

/**
 * Loads the module of `--router`, whose default export is a function, `{ route, onOutcome? }`, or `{ name, options }` of a
 * router of ours. It runs in the tap's own thread. Throws `OPTION_INVALID`.
 */
export async function openRouter(path: string): Promise<OpenedRouter> {
  const router = await loadRouter(path);
  if (isDescription(router)) return { host: {}, session: { router }, attach: () => undefined };
  let host: Host | null = null;
  const desk = new RouterDesk((sessionId, code, message, hint) => host?.noteFault({ sessionId, code, message, hint }));
  return {
    host: { router: (question) => desk.ask(question) },
    session: { routed: true },
    attach: (opened, session) => {
      host = opened;
      desk.add(session, router);
      opened.onEvent((event) => desk.note(event));
    },
  };
}

async function loadRouter(path: string): Promise<Router | RouterObject | RouterDescription> {
  let found: unknown;
  try {
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
    found = module.default;
  } catch (cause) {
    if (!existsSync(path)) throw makeUnusable(path, 'it could not be loaded: there is no such file', cause, pathHint);
    throw makeUnusable(path, `it could not be loaded: ${readErrorMessage(cause).split('\n', 1)[0]}`, cause);
  }
  if (typeof found === 'function' || (isObject(found) && isRouter(found as object))) {
    return found as Router | RouterObject | RouterDescription;
  }
  throw makeUnusable(path, 'its default export is no router');
}

function isRouter(found: { readonly route?: unknown; readonly name?: unknown }): boolean {
  return found.route === undefined ? typeof found.name === 'string' : typeof found.route === 'function';
}

function isDescription(router: Router | RouterObject | RouterDescription): router is RouterDescription {
  return typeof router === 'object' && !('route' in router);
}

const pathHint = 'Give the path of a module, absolute or from the folder llmtap runs in, as in ./router.mjs.';
const exportHint =
  'Let the module have a function (context) => model, or { route, onOutcome? }, as its default export.';

function makeUnusable(path: string, found: string, cause?: unknown, hint = exportHint): TrackerError {
  return new TrackerError('OPTION_INVALID', `Could not use the router ${path}: ${found.replace(/\.$/, '')}.`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

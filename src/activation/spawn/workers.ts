import workerThreads from 'node:worker_threads';
import { findSystemCode, readErrorMessage } from '../../core/errors.js';
import type { ScopedSession } from '../../core/scope.js';
import { addWorkerRoot } from '../child-env.js';
import { findInheritedEnv } from '../inherited-env.js';
import { readNodeOptions } from '../node-options.js';
import type { Patch } from '../patch.js';
import { findCurrentSession } from '../scope.js';
import { copyWith, isOptions, type Options } from './options.js';
import { findScopedEnv } from './scoped-env.js';

type WorkerClass = typeof workerThreads.Worker;

/**
 * Every `Worker` of a scope. Its `NODE_OPTIONS` are read anew where an `env` is given, so the hook is preloaded by them,
 * and the flags of the process stay in force.
 * Source: https://github.com/nodejs/node/commit/30dbc84642 (read 2026-11-26; measured, Node 20.20).
 *
 * A proxy of the class, so that `instanceof`, statics and classes that extend it see no difference.
 * NOTE: a class taken out of the module before (`const { Worker } = require(…)`) or extended before is out of reach.
 */
export function patchWorkers(): Patch {
  const own = Object.getOwnPropertyDescriptor(workerThreads, 'Worker');
  const original = workerThreads.Worker;
  let isUndone = false;
  const value = new Proxy(original, {
    construct: (target, args: readonly unknown[], newTarget) => {
      const session = isUndone ? undefined : findCurrentSession();
      if (session === undefined) return Reflect.construct(target, args, newTarget);
      return construct(session, { target, args, newTarget });
    },
  });
  Object.defineProperty(workerThreads, 'Worker', { ...own, value });
  return {
    undo: () => {
      if (isUndone) return;
      isUndone = true;
      if (own !== undefined && workerThreads.Worker === value) Object.defineProperty(workerThreads, 'Worker', own);
    },
  };
}

interface Construction {
  readonly target: WorkerClass;
  readonly args: readonly unknown[];
  readonly newTarget: unknown;
}

/**
 * Where it inherits them, a Worker passes over what a process may have in `NODE_OPTIONS` but no Worker
 * (`--use-openssl-ca`, `--title=x`); where they are given, Node refuses them. Then the flags it names are left out, and
 * when that does not help, the session.
 * Source: https://github.com/nodejs/node/issues/41103 (read 2026-11-26; measured, Node 20.20).
 */
function construct(session: ScopedSession, { target, args, newTarget }: Construction): workerThreads.Worker {
  const make = (given: readonly unknown[]): workerThreads.Worker =>
    Reflect.construct(target, given, newTarget as WorkerClass) as workerThreads.Worker;
  const makeWith = (variables: Options): workerThreads.Worker => {
    const options = isOptions(args[1]) ? args[1] : {};
    const worker = make([args[0], copyWith(options, { env: variables }), ...args.slice(2)]);
    session.noteDescendant(worker);
    return worker;
  };
  const env = findWorkerEnv(session, args[1]);
  if (env === undefined) return make(args);
  try {
    return makeWith(env);
  } catch (error) {
    if (findSystemCode(error) !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
    if (isOptions(args[1]) && isOptions(args[1].env)) return make(args);
    return makeWithLess(error as Error, {
      makeWith: (nodeOptions) => makeWith({ ...env, NODE_OPTIONS: nodeOptions }),
      makeAsGiven: () => make(args),
      nodeOptions: String(env.NODE_OPTIONS),
      session,
    });
  }
}

interface SecondTry {
  readonly makeWith: (nodeOptions: string) => workerThreads.Worker;
  readonly makeAsGiven: () => workerThreads.Worker;
  readonly nodeOptions: string;
  readonly session: ScopedSession;
}

/** Node names one flag at a time. */
function makeWithLess(error: Error, { makeWith, makeAsGiven, nodeOptions, session }: SecondTry): workerThreads.Worker {
  let words = readNodeOptions(nodeOptions);
  let { message } = error;
  for (;;) {
    const fewer = leaveOut(words, message);
    // What is wrong was wrong before us, and Node says so now; else the Worker starts as it would have.
    if (fewer.length === words.length) break;
    words = fewer;
    try {
      return makeWith(formatNodeOptions(words));
    } catch (next) {
      message = readErrorMessage(next);
    }
  }
  const worker = makeAsGiven();
  announceUnseen(session, 'Node refused it the NODE_OPTIONS of this process', 'Give the Worker an env of its own.');
  return worker;
}

/** `undefined` for a Worker to leave alone: one with options Node refuses, or that shares the process's environment. */
function findWorkerEnv(session: ScopedSession, options: unknown): Record<string, unknown> | undefined {
  if (options !== undefined && !isOptions(options)) return undefined;
  const given = options?.env;
  if (given === workerThreads.SHARE_ENV) {
    announceUnseen(
      session,
      'it shares the environment of this process (SHARE_ENV), where the session’s variables must not go',
      'Start it without SHARE_ENV.',
    );
  }
  const isExplicit = isOptions(given);
  if (!isExplicit && given !== undefined && given !== null) return undefined;
  const env = findScopedEnv<unknown>(session, { given: isExplicit ? given : { ...findInheritedEnv() }, isExplicit });
  if (typeof env?.LLMTAP_HOOK !== 'string') return env;
  try {
    return { ...env, LLMTAP_HOOK: addWorkerRoot(env.LLMTAP_HOOK, session.caPem) };
  } catch {
    // The caller's own, and none of ours can read it: the hook will not either.
    return env;
  }
}

function announceUnseen(session: ScopedSession, reason: string, hint: string): void {
  session.announceFault('IN_PROCESS_UNSEEN', `Calls of a Worker are not seen: ${reason}.`, hint);
}

/** The words without the flags a message names, each with the words behind it up to the next. */
function leaveOut(words: readonly string[], message: string): readonly string[] {
  const refused = new Set(message.match(/--?[a-z][\w-]*/gi));
  let isRefused = false;
  return words.filter((word) => {
    if (word.startsWith('-')) isRefused = refused.has(word.split('=', 1)[0] ?? '');
    return !isRefused;
  });
}

function formatNodeOptions(words: readonly string[]): string {
  return words.map((word) => `"${word.replace(/["\\]/g, String.raw`\$&`)}"`).join(' ');
}

import { fileURLToPath } from 'node:url';
import type { JavaTrustOptions } from '../../activation/java-files.js';
import type { JavaTrust } from '../../activation/java-options.js';
import type { Fault } from '../../core/events.js';
import type { Host, OpenSession } from '../../core/host.js';
import type { Session, SessionCounts } from '../../core/session.js';
import type { TapPlan } from '../session-flags.js';
import type { OpenedRouter } from './open-router.js';

type Env = Readonly<Record<string, string | undefined>>;

/** A host with one session, and everything a program needs to come through it. */
export interface Tap {
  readonly session: Session;
  /** Absolute; the session's own files, there until `close`. */
  readonly folder: string;
  /** Variables to set over those a program inherits. */
  readonly variables: Readonly<Record<string, string>>;
  counts(): SessionCounts;
  /** Loads what the first call needs; to be called once the program runs, or at once where there is none to start. */
  warm(): void;
  /** Closes session and host and removes the files; each is tried whatever became of the others. */
  close(end?: { readonly exitCode?: number }): Promise<void>;
}

export interface TapOptions {
  /** What programs inherit, and whose proxies and CA files the tap respects. */
  readonly env: Env;
  /** Whose proxies and CA files the tap itself respects, where that is not what programs inherit. */
  readonly hostEnv?: Env;
  readonly onFault: (fault: Fault) => void;
}

/** Opens everything in order; what was opened is closed again when a later step throws. */
export async function openTap(plan: TapPlan, options: TapOptions): Promise<Tap> {
  const { openHost } = await import('../../host/host.js');
  const router = plan.routerModule === undefined ? null : await loadRouter(plan.routerModule);
  const host = await openHost({
    ...{ ...plan.host, ...router?.host },
    ...{ env: options.hostEnv ?? options.env, warm: 'later' },
  });
  host.onEvent((event) => {
    if (event.type === 'fault.occurred') options.onFault(event.fault);
  });
  try {
    const open = await host.openSession({ ...plan.session, ...router?.session });
    router?.attach(host, open.session);
    const { folder, variables, noProxy, removeFiles } = await prepareChild(plan, {
      ...{ open, host, env: options.env },
      traceparent: (options.hostEnv ?? options.env).TRACEPARENT,
    });
    await reportHiddenHosts({ noProxy, open, host, onFault: options.onFault });
    return {
      session: open.session,
      folder,
      variables,
      counts: () => open.counts(),
      warm: () => host.warm(),
      close: (end) => closeAll([() => open.close(end), () => host.close(), removeFiles]),
    };
  } catch (error) {
    // What went wrong first is what counts.
    await host.close().catch(() => undefined);
    throw error;
  }
}

async function loadRouter(path: string): Promise<OpenedRouter> {
  const { openRouter } = await import('./open-router.js');
  return await openRouter(path);
}

interface Opened {
  readonly open: OpenSession;
  readonly host: Host;
  readonly env: Env;
  /** Of the tap's own environment. */
  readonly traceparent: string | undefined;
}

async function prepareChild(plan: TapPlan, { open, host, env, traceparent }: Opened) {
  const [{ makeChildEnv }, { makeRunVariables }, { makeSessionToken }, { openSessionFiles }] = await Promise.all([
    import('../../activation/child-env.js'),
    import('../../activation/run-variables.js'),
    import('../../trackers/session-token.js'),
    import('../../activation/session-files.js'),
  ]);
  const { session, proxyUrl } = open;
  const { caPath, bundlePath, extraCaPath, registered } = host;
  const token = makeSessionToken(session);
  const bundleFor = (userFile: string | undefined) => host.bundleFor(userFile);
  const files = openSessionFiles({
    home: plan.host.home,
    sessionId: session.sessionId,
    parentEnv: env,
    proxyUrl,
    bundlePath,
    bundleFor,
  });
  const common = { parentEnv: env, sessionFolder: files.folder, caPath };
  const hookPath = fileURLToPath(new URL('../../activation/node-hook.cjs', import.meta.url));
  try {
    const java = plan.java ? { java: await openJava(common) } : {};
    const variables = makeChildEnv({ ...common, ...java, proxyUrl, extraCaPath, bundleFor, hookPath, registered });
    return {
      folder: files.folder,
      variables: { ...variables, ...makeRunVariables({ ...session, token, traceparent }, env) },
      noProxy: variables.NO_PROXY ?? '',
      removeFiles: () => files.close(),
    };
  } catch (error) {
    files.close();
    throw error;
  }
}

interface Hiding extends Pick<TapOptions, 'onFault'> {
  readonly noProxy: string;
  readonly open: OpenSession;
  readonly host: Host;
}

async function reportHiddenHosts({ noProxy, open, host, onFault }: Hiding): Promise<void> {
  const { explainHiddenHosts } = await import('../../activation/hidden-hosts.js');
  const explained = explainHiddenHosts(noProxy, host.registered);
  if (explained === undefined) return;
  const at = new Date().toISOString();
  onFault({ code: 'OPTION_CONFLICT', ...explained, sessionId: open.session.sessionId, at });
}

async function openJava(options: JavaTrustOptions): Promise<JavaTrust> {
  const { openJavaTrust } = await import('../../activation/java-files.js');
  return openJavaTrust(options);
}

/** Runs every step in order, each whatever became of the others; then throws the first error there was. */
async function closeAll(steps: readonly (() => void | Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

import { syncBuiltinESMExports } from 'node:module';
import type { ScopedSession } from '../../core/scope.js';
import type { Patch } from '../patch.js';
import { patchAgents, releaseAgentSockets } from './agents.js';
import { patchConnecting } from './connect-seam.js';
import { closeHttp2Twins, patchHttp2 } from './http2-sessions.js';
import { watchCopies } from './undici/channels.js';
import { forgetCopies, patchKnownCopies } from './undici/copies.js';
import { unpatchDispatching } from './undici/dispatch.js';
import { closeTwins } from './undici/twins.js';

let users = 0;
let uninstall: (() => void) | undefined;

/**
 * Makes the calls of scopes to providers go through their session's door, whatever client makes them; traffic outside
 * scopes and to anybody else stays as it is. Counted: the last of the returned functions undoes it, each may be called
 * twice, and every property is then as it was.
 */
export function installTraffic(): () => void {
  users += 1;
  if (users === 1) uninstall = install();
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    users -= 1;
    if (users === 0) uninstall?.();
  };
}

/** Lets go of what is kept open for a session that is over: idle connections at once, others when they end. */
export function releaseSession(session: ScopedSession): void {
  closeTwins(session);
  closeHttp2Twins(session);
  releaseAgentSockets(session.session.sessionId);
}

function install(): () => void {
  const patches: Patch[] = [...patchConnecting(), ...patchAgents(), patchHttp2()];
  patchKnownCopies();
  const unwatch = watchCopies();
  syncBuiltinESMExports();
  return () => {
    unwatch();
    unpatchDispatching();
    forgetCopies();
    for (const patch of patches.reverse()) patch.undo();
    syncBuiltinESMExports();
    closeTwins();
    closeHttp2Twins();
    releaseAgentSockets();
  };
}

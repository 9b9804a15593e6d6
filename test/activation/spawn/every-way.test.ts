import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { installSpawn } from '../../../src/activation/spawn/install-spawn.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { openSpawnSession, type SpawnSession } from '../../fixtures/spawn-session.js';
import { importWays, readChildEnv, requireWays, type Way, type Ways } from './load-agents.js';

const ownProxy = 'http://own.proxy.test:3128';
const forkedByName = ['spawn', 'exec', 'execFile', 'fork', 'promisified exec', 'promisified execFile'] as const;
const others = ['spawnSync', 'execSync', 'execFileSync', 'Worker'] as const;
const all = [...forkedByName, ...others];
const inPackages = ['execa', 'execa sync', 'cross-spawn', 'cross-spawn sync'] as const;

/** How a program came by Node's functions, and which of them are within reach then. */
const manners = [
  { manner: 'required before the tracker started', names: forkedByName, load: () => before.required },
  { manner: 'required afterwards', names: all, load: () => requireWays() },
  { manner: 'imported by name before', names: all, load: () => before.named },
  { manner: 'imported as a namespace before', names: all, load: () => before.namespace },
  { manner: 'taken from packages loaded before', names: inPackages, load: () => before.packaged },
] as const;

let before: { required: Ways; named: Ways; namespace: Ways; packaged: Ways };
let rig: Rig;
let undo: () => void;
let saved: NodeJS.ProcessEnv;

beforeAll(async () => {
  before = {
    required: requireWays(),
    named: await importWays('by-name.mjs'),
    namespace: await importWays('by-namespace.mjs'),
    packaged: await importWays('by-package.mjs'),
  };
  rig = await openRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (/_proxy$|^NODE_|CERT|CA_BUNDLE|^LLMTAP/i.test(name)) Reflect.deleteProperty(process.env, name);
  }
  undo = installSpawn();
});
afterEach(() => {
  undo();
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, saved);
});

function findWay(ways: Ways, name: string): Way {
  const way = ways[name];
  if (way === undefined) throw new Error(`no way ${name}`);
  return way;
}

async function withSession<T>(force: boolean, work: (session: SpawnSession) => Promise<T>): Promise<T> {
  const session = openSpawnSession(rig, { force });
  try {
    return await runInScope(session, () => work(session));
  } finally {
    session.close();
  }
}

for (const { manner, names, load } of manners) {
  describe(`functions ${manner}`, () => {
    it.each(names)('lead a child of %s through the session', async (name) => {
      process.env.MARK = 'inherited';
      process.env.HTTPS_PROXY = ownProxy;
      const extendsItself = name.startsWith('execa');
      await withSession(extendsItself, async (session) => {
        const env = await readChildEnv(findWay(load(), name));
        const { sessionId, runId } = session.session;
        expect(env).toMatchObject({
          MARK: 'inherited',
          HTTPS_PROXY: rig.session.proxyUrl,
          https_proxy: rig.session.proxyUrl,
          LLMTAP_SESSION_ID: sessionId,
          LLMTAP_RUN_ID: runId,
        });
        expect(env.NODE_OPTIONS).toContain('node-hook.cjs');
      });
    });

    it.each(names)('let an env given to %s go before the session, name by name', async (name) => {
      process.env.MARK = 'inherited';
      const given = Object.freeze({ OWN: '1', HTTPS_PROXY: ownProxy });
      const options = Object.freeze({ env: given });
      await withSession(false, async (session) => {
        const env = await readChildEnv(findWay(load(), name), options);
        expect(env).toMatchObject({ ...given, LLMTAP_SESSION_ID: session.session.sessionId });
        expect(env.HTTP_PROXY).toBe(rig.session.proxyUrl);
        expect(env.https_proxy).toBeUndefined();
        expect(env.MARK).toBe(name.startsWith('execa') ? 'inherited' : undefined);
        expect(options.env).toBe(given);
      });
    });

    it.each(names)('let a session with force go before an env given to %s, and keep what it extends', async (name) => {
      process.env.HTTPS_PROXY = ownProxy;
      const own = { OWN: '1', NO_PROXY: 'corp.test', NODE_OPTIONS: '--no-deprecation' };
      const env: Record<string, string | undefined> = { ...process.env, ...own };
      await withSession(true, async () => {
        const got = await readChildEnv(findWay(load(), name), { env });
        expect(got).toMatchObject({ OWN: '1', HTTPS_PROXY: rig.session.proxyUrl, https_proxy: rig.session.proxyUrl });
        expect(got.NO_PROXY).toMatch(/^corp\.test,/);
        expect(got.NODE_OPTIONS).toMatch(/^--no-deprecation --require=".*node-hook\.cjs"$/);
        expect(env.HTTPS_PROXY).toBe(ownProxy);
      });
    });

    it.each(names)('change nothing of a child of %s outside every scope', async (name) => {
      const env = await readChildEnv(findWay(load(), name), { env: { OWN: '1' } });
      expect(
        Object.keys(env).filter((key) => /^(https?_proxy|no_proxy|node_options|llmtap_.*|.*cert.*)$/i.test(key)),
      ).toEqual([]);
    });
  });
}

describe('functions required before the tracker started', () => {
  it.each(others)('are out of reach when they are %s, which the README says', async (name) => {
    await withSession(false, async () => {
      const env = await readChildEnv(findWay(before.required, name));
      expect(env.LLMTAP_SESSION_ID).toBeUndefined();
    });
  });
});

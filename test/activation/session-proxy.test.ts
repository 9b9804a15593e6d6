import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDoorUrl } from '../../src/activation/door-url.js';
import { makeSessionProxy } from '../../src/activation/session-proxy.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSpawnSession } from '../fixtures/spawn-session.js';
import { makeBareEnv, runChild } from './tunnel-lab.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

describe('the facts of a session’s proxy', () => {
  it('are those of its door, its root and its bundle, frozen', () => {
    const session = openSpawnSession(rig);
    const proxy = makeSessionProxy(session);
    expect(proxy).toMatchObject({
      url: rig.session.proxyUrl,
      port: rig.session.port,
      caPem: rig.ca,
      caBundlePath: rig.host.bundlePath,
    });
    expect(readFileSync(proxy.caBundlePath, 'utf8')).toContain(rig.ca.trim());
    expect(Object.isFrozen(proxy)).toBe(true);
    session.close();
  });

  it('lead a program through the session, by their URL with its credentials', async () => {
    const open = await rig.openSession({ credentials: true });
    const session = openSpawnSession(rig, { open });
    const { url, caBundlePath } = makeSessionProxy(session);
    expect(url).toBe(open.proxyUrl);
    const args = ['-sS', '--proxy', url, '--cacert', caBundlePath, 'https://api.openai.com/v1/models'];
    const { stdout } = await runChild(['curl', ...args], {});
    expect(stdout).toBe('ok');
    expect(open.counts().passedRequests).toBe(1);
    session.close();
    await open.close();
  });

  it('have the variables of a child of this process, a copy each time', async () => {
    const session = openSpawnSession(rig);
    const proxy = makeSessionProxy(session);
    const variables = proxy.envDict();
    expect(variables).toMatchObject({
      HTTPS_PROXY: rig.session.proxyUrl,
      LLMTAP_SESSION_ID: session.session.sessionId,
      LLMTAP_RUN_ID: session.session.runId,
    });
    variables.X = '1';
    expect(proxy.envDict()).not.toHaveProperty('X');
    const before = rig.session.counts().passedRequests;
    const env = { ...makeBareEnv(), ...proxy.envDict() };
    await runChild([process.execPath, '-e', `fetch('https://api.openai.com/v1/models').then((r) => r.text())`], {
      env,
    });
    expect(rig.session.counts().passedRequests).toBe(before + 1);
    session.close();
  });
});

describe('the URL of a door', () => {
  const authorization = `Basic ${Buffer.from('us er:p:ä/').toString('base64')}`;
  it.each([
    [{ host: '127.0.0.1', port: 80, authorization: null }, 'http://127.0.0.1:80'],
    [{ host: '0.0.0.0', port: 1, authorization: null }, 'http://127.0.0.1:1'],
    [{ host: '::', port: 1, authorization: null }, 'http://[::1]:1'],
    [{ host: '172.17.0.1', port: 1, authorization }, 'http://us%20er:p%3A%C3%A4%2F@172.17.0.1:1'],
  ])('of %j is %s', (door, url) => {
    expect(makeDoorUrl(door)).toBe(url);
  });
});

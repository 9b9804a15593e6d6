import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  makeSessionEnvironment,
  type SessionEnvironmentOptions,
} from '../../../src/activation/spawn/session-environment.js';
import type { Origin } from '../../../src/core/wire.js';

let home: string;
let asked: (string | undefined)[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-environment-'));
  asked = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const sessionId = 'sess_0123456789ab';

function open(more: Partial<SessionEnvironmentOptions> = {}) {
  return makeSessionEnvironment({
    home,
    sessionId,
    runId: 'run-1',
    proxyUrl: () => 'http://127.0.0.1:4000',
    caPath: '/ca.pem',
    bundlePath: '/bundle.pem',
    extraCaPath: '/extra.pem',
    bundleFor: (file) => {
      asked.push(file);
      return file === undefined ? '/bundle.pem' : `/merged${file}`;
    },
    hookPath: '/hook.cjs',
    registered: () => [],
    ...more,
  });
}

const folder = () => join(home, 'sessions', sessionId);

describe('the environment of a session', () => {
  it('makes no file before the first child, and takes all away when it is closed, twice as well', () => {
    const environment = open();
    expect(existsSync(folder())).toBe(false);
    const variables = environment.makeChildVariables({ HOME: home });
    expect(variables.WGETRC).toBe(join(folder(), 'wgetrc'));
    expect(existsSync(join(folder(), 'wgetrc'))).toBe(true);
    environment.close();
    environment.close();
    expect(existsSync(folder())).toBe(false);
    expect(() => environment.makeChildVariables({})).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }));
  });

  it('names its run and session, and what else is given', () => {
    const environment = open({ extraVariables: { LLMTAP_GRAPH: 'g' } });
    expect(environment.makeChildVariables({})).toMatchObject({
      LLMTAP_RUN_ID: 'run-1',
      LLMTAP_SESSION_ID: sessionId,
      LLMTAP_GRAPH: 'g',
      HTTPS_PROXY: 'http://127.0.0.1:4000',
    });
    environment.close();
  });

  it('gives equal children the same variables without work, and reads anew what differs for others', () => {
    const environment = open();
    const first = environment.makeChildVariables({ X: '1', SSL_CERT_FILE: '/own.pem' });
    const count = asked.length;
    expect(environment.makeChildVariables({ X: '2', SSL_CERT_FILE: '/own.pem' })).toBe(first);
    expect(asked).toHaveLength(count);
    expect(first.SSL_CERT_FILE).toBe('/merged/own.pem');
    expect(environment.makeChildVariables({ SSL_CERT_FILE: '/other.pem' }).SSL_CERT_FILE).toBe('/merged/other.pem');
    environment.close();
  });

  it('asks of a child’s environment nothing it does not tell children apart by', () => {
    const names = new Set<string>();
    const spy = new Proxy<Record<string, string>>(
      {},
      {
        get: (_target, name) => {
          if (typeof name === 'string') names.add(name);
          return undefined;
        },
      },
    );
    const environment = open();
    const plain = environment.makeChildVariables(spy);
    // Those are read once for the session, when its files are made.
    for (const name of ['HOME', 'USERPROFILE', 'WGETRC', 'SYSTEM_WGETRC']) names.delete(name);
    for (const name of names) expect(environment.makeChildVariables({ [name]: 'x' }), name).not.toBe(plain);
    environment.close();
  });

  it('follows the host to another port and to newly registered models', () => {
    let port = 4000;
    const registered: Origin[] = [];
    const wgetrc = join(home, '.wgetrc');
    writeFileSync(wgetrc, 'https_proxy = http://corp:3128\n');
    const environment = open({ proxyUrl: () => `http://127.0.0.1:${port}`, registered: () => registered });
    const first = environment.makeChildVariables({ HOME: home });
    port = 4001;
    const second = environment.makeChildVariables({ HOME: home });
    expect(second.HTTPS_PROXY).toBe('http://127.0.0.1:4001');
    expect(readFileSync(second.WGETRC ?? '', 'utf8')).toContain('https_proxy = http://127.0.0.1:4001');
    registered.push({ scheme: 'http', host: '127.0.0.1', port: 11434 });
    expect(first.NO_PROXY).toContain('127.0.0.1');
    expect(environment.makeChildVariables({ HOME: home }).NO_PROXY).not.toContain('127.0.0.1');
    environment.close();
    expect(existsSync(folder())).toBe(false);
  });

  it('does not grow with a program that gives every child another environment', () => {
    const environment = open();
    const first = environment.makeChildVariables({ NODE_OPTIONS: '--stack-trace-limit=0' });
    for (let n = 1; n <= 20; n++) environment.makeChildVariables({ NODE_OPTIONS: `--stack-trace-limit=${n}` });
    expect(environment.makeChildVariables({ NODE_OPTIONS: '--stack-trace-limit=0' })).not.toBe(first);
    environment.close();
  });

  it('costs well under 0.3 ms for a child like one before', () => {
    const environment = open();
    const env = { ...process.env };
    environment.makeChildVariables(env);
    const durations = Array.from({ length: 500 }, () => {
      const start = performance.now();
      environment.makeChildVariables(env);
      return performance.now() - start;
    }).toSorted((a, b) => a - b);
    expect(durations[250]).toBeLessThan(0.3);
    environment.close();
  });

  it('says what is wrong with a home that cannot be used, and works once it can', () => {
    writeFileSync(join(home, 'sessions'), 'a file');
    const environment = open();
    expect(() => environment.makeChildVariables({})).toThrow(expect.objectContaining({ code: 'HOME_UNUSABLE' }));
    rmSync(join(home, 'sessions'));
    expect(environment.makeChildVariables({}).LLMTAP_SESSION_ID).toBe(sessionId);
    environment.close();
  });
});

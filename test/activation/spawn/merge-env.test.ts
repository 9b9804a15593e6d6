import { describe, expect, it } from 'vitest';
import { formatEnvPairs, makeParentEnv, mergeEnv, readEnvPairs } from '../../../src/activation/spawn/merge-env.js';

const variables = { HTTPS_PROXY: 'ours', https_proxy: 'ours', NODE_OPTIONS: 'hook', LLMTAP_RUN_ID: 'run' };

describe('two environments as one', () => {
  it('put the session before what is inherited', () => {
    const given = { PATH: '/bin', HTTPS_PROXY: 'shell', Https_Proxy: 'odd' };
    expect(mergeEnv({ given, variables, winner: 'session', foldsCase: false })).toEqual({
      PATH: '/bin',
      Https_Proxy: 'odd',
      ...variables,
    });
  });

  it('put the caller before the session, in either letter case of a name', () => {
    const given = { https_proxy: 'own', X: '1' };
    expect(mergeEnv({ given, variables, winner: 'caller', foldsCase: false })).toEqual({
      https_proxy: 'own',
      X: '1',
      NODE_OPTIONS: 'hook',
      LLMTAP_RUN_ID: 'run',
    });
  });

  it('keep an empty value of the caller’s, which clears a variable', () => {
    const merged = mergeEnv({ given: { HTTPS_PROXY: '' }, variables, winner: 'caller', foldsCase: false });
    expect(merged.HTTPS_PROXY).toBe('');
    expect(merged).not.toHaveProperty('https_proxy');
  });

  it('are one variable in every letter case on Windows', () => {
    const given = { Path: 'C:\\', Https_Proxy: 'shell', node_options: 'own' };
    expect(mergeEnv({ given, variables, winner: 'session', foldsCase: true })).toEqual({
      Path: 'C:\\',
      HTTPS_PROXY: 'ours',
      NODE_OPTIONS: 'hook',
      LLMTAP_RUN_ID: 'run',
    });
  });

  it('leave the objects they are made of alone', () => {
    const given = Object.freeze({ A: '1' });
    mergeEnv({ given, variables: Object.freeze({ ...variables }), winner: 'session', foldsCase: true });
    expect(given).toEqual({ A: '1' });
  });
});

describe('the environment variables are made for', () => {
  it('answers in any letter case on Windows, and as it is written elsewhere', () => {
    const given = { No_Proxy: 'corp', X: 1, GONE: undefined };
    expect(makeParentEnv(given, true).NO_PROXY).toBe('corp');
    expect(makeParentEnv(given, true).no_proxy).toBe('corp');
    expect(makeParentEnv(given, false)).toEqual({ No_Proxy: 'corp', X: '1' });
  });
});

describe('pairs of name and value', () => {
  it('keep a value with equal signs and line breaks, and names Windows begins with one', () => {
    const pairs = ['A=b=c\nd', '=C:=C:\\work', 'EMPTY='];
    expect(readEnvPairs(pairs)).toEqual({ A: 'b=c\nd', '=C:': 'C:\\work', EMPTY: '' });
    expect(formatEnvPairs(readEnvPairs(pairs))).toEqual(pairs);
  });
});

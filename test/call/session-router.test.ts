import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectSecrets, makeAmbientSet } from '../../src/call/secrets.js';
import { SessionRouter } from '../../src/call/session-router.js';
import type { AskRouter, RouteQuestion } from '../../src/core/routing.js';

const question: RouteQuestion = {
  sessionId: 'sess_1',
  provider: 'openai',
  api: 'chat.completions',
  requestedModel: 'gpt-4o',
  request: { model: 'gpt-4o', messages: [{ role: 'user', content: 'The launch code is seven four' }] },
};

const faults: string[] = [];
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  faults.length = 0;
});

function openRouter(ask: AskRouter): SessionRouter {
  return new SessionRouter({
    ask,
    deadlineMs: 1000,
    onFault: (code, message) => void faults.push(`${code} ${message}`),
  });
}

const never = new AbortController().signal;
const noSecrets = () => makeAmbientSet([]);

/** Routers are the user's: one may break the contract of its type. */
function asRouter(answer: (question: RouteQuestion) => unknown): AskRouter {
  return answer as AskRouter;
}

describe('a router', () => {
  it('is believed when it names a model, also without a promise', async () => {
    expect(await openRouter(() => Promise.resolve('small')).choose(question, never, noSecrets)).toEqual({
      model: 'small',
    });
    expect(await openRouter(asRouter(() => 'small')).choose(question, never, noSecrets)).toEqual({ model: 'small' });
    expect(faults).toEqual([]);
  });

  it('of ours answers at once, and any other has to be asked', () => {
    const parts = { ask: () => Promise.resolve('asked'), deadlineMs: 1000, onFault: () => undefined };
    expect(new SessionRouter({ ...parts, answer: () => 'small' }).answer(question)).toEqual({ model: 'small' });
    expect(new SessionRouter({ ...parts, answer: () => null }).answer(question)).toBeNull();
    expect(new SessionRouter(parts).answer(question)).toBeUndefined();
  });

  it('that throws at once leaves the call as asked', async () => {
    const ask = asRouter(() => {
      throw new RangeError('out of models');
    });
    expect(await openRouter(ask).choose(question, never, noSecrets)).toBeNull();
    expect(faults).toEqual([
      'ROUTER_FAILED The router threw RangeError: out of models, asked for the model of a call to openai chat.completions. The call goes as asked; this is told once a session.',
    ]);
  });

  it('that quotes a key of the call has it removed from what is told', async () => {
    const ask = asRouter(() => {
      throw new Error('router has Zq7xVeryHidden42');
    });
    const requestHeaders = ['authorization', 'Bearer Zq7xVeryHidden42'];
    const secrets = collectSecrets({ requestHeaders, url: 'https://api.openai.com/v1/chat/completions' });
    expect(await openRouter(ask).choose(question, never, () => secrets)).toBeNull();
    expect(faults.join()).toContain('router has');
    expect(faults.join()).not.toContain('VeryHidden');
  });

  it.each([
    [0, 'a value of type number'],
    [{ name: 'small' }, 'an object without the name of a model'],
    [['small'], 'an array'],
    ['', 'an empty name'],
    ['  ', 'an empty name'],
    ['x'.repeat(257), 'a name of 257 characters'],
  ])('that answers with %j leaves the call as asked', async (answer, what) => {
    expect(await openRouter(() => Promise.resolve(answer)).choose(question, never, noSecrets)).toBeNull();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`The router answered with ${what}, asked`);
  });

  it.each(['small', null])('is late after its deadline, whatever it answers then: %j', async (answer) => {
    let finish: (answer: unknown) => void = () => undefined;
    const slow = new Promise<unknown>((resolve) => {
      finish = resolve;
    });
    const choosing = openRouter(() => slow).choose(question, never, noSecrets);
    await vi.advanceTimersByTimeAsync(999);
    expect(faults).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await choosing).toBeNull();
    finish(answer);
    await slow;
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('had not answered after 1000 ms');
  });

  it('that fails after its deadline is told of once, as late', async () => {
    let fail: (error: Error) => void = () => undefined;
    const slow = new Promise<unknown>((_resolve, reject) => {
      fail = reject;
    });
    const choosing = openRouter(() => slow).choose(question, never, noSecrets);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await choosing).toBeNull();
    fail(new Error('gave up'));
    await slow.catch(() => undefined);
    expect(faults).toHaveLength(1);
  });

  it('is told of once for each way it fails', async () => {
    const answers: unknown[] = [1, 2, new Error('x'), new Error('y'), ''];
    const router = openRouter(async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    });
    for (let call = 0; call < 5; call++) await router.choose(question, never, noSecrets);
    for (let call = 0; call < 3; call++) router.tellObstacle({ kind: 'coded', why: 'its body is compressed' });
    expect(faults).toEqual([
      expect.stringContaining('type number'),
      expect.stringContaining('threw Error: x'),
      expect.stringContaining('A call could not be routed because its body is compressed. The call goes as asked'),
    ]);
  });

  it('is not waited for when the call is over, nor told of when it fails then', async () => {
    const abort = new AbortController();
    let fail: (error: Error) => void = () => undefined;
    const slow = new Promise<unknown>((_resolve, reject) => {
      fail = reject;
    });
    const choosing = openRouter(() => slow).choose(question, abort.signal, noSecrets);
    abort.abort();
    expect(await choosing).toBeNull();
    fail(new Error('too late'));
    await slow.catch(() => undefined);
    const asked = vi.fn(async () => 'small');
    expect(await openRouter(asked).choose(question, abort.signal, noSecrets)).toBeNull();
    expect(asked).not.toHaveBeenCalled();
    expect(faults).toEqual([]);
  });
});

describe('what a router threw', () => {
  it.each([
    ['quoted by JSON.parse', new SyntaxError('Unexpected token \'T\', "The launch"... is not valid JSON')],
    ['the request as JSON', new Error(JSON.stringify(question.request))],
    ['a text of it', new Error(`cannot judge: The launch code is seven four`)],
    ['on a second line', new Error('no\nThe launch code is seven four')],
    ['as a value', { text: 'The launch code is seven four' }],
    ['without a prototype', Object.create(null)],
    ['with a secret of the environment', new Error('401 for sesame-open-up-please')],
  ])('is told without the request and without secrets: %s', async (_, error) => {
    const router = openRouter(() => Promise.reject(error));
    const findSecrets = () => makeAmbientSet(['sesame-open-up-please']);
    expect(await router.choose(question, never, findSecrets)).toBeNull();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^ROUTER_FAILED The router threw /);
    expect(faults[0]).not.toMatch(/launch|seven|sesame/);
  });

  it('is told by its name alone where the request is too long to search', async () => {
    const long = { ...question, request: 'x'.repeat(300_000) };
    await openRouter(() => Promise.reject(new RangeError('x'))).choose(long, never, noSecrets);
    expect(faults[0]).toContain('threw RangeError, asked');
  });
});

import './own-undici.js';
import * as undici from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInScope } from '../../../src/activation/scope.js';
import { chatFrames, chatReply } from '../../fixtures/replies.js';
import type { TestScope } from '../../fixtures/scoped-session.js';
import { makeRandom, path } from './calls.js';
import { type Client, clientNames, makeClient } from './clients.js';
import { ownDispatcher } from './own-undici.js';
import { makeGate, openTrafficLab, type TrafficLab, waitForRecordsOf } from './traffic-lab.js';

let lab: TrafficLab;

beforeAll(async () => {
  lab = await openTrafficLab();
});

afterAll(async () => {
  await lab.close();
});

it('has the copy of undici that Node brings in the global place', () => {
  expect(ownDispatcher).not.toBeInstanceOf(undici.Agent);
  expect(undici.getGlobalDispatcher()).toBe(ownDispatcher);
});

const makeBody = (model: string): string =>
  JSON.stringify({ model, messages: [{ role: 'user', content: `about ${model}` }] });

for (const scheme of ['https', 'http'] as const) {
  describe.each(clientNames)(`${scheme} by %s`, (name) => {
    let client: Client;
    let url: string;
    const ask = (scope: TestScope | null, model: string) =>
      runInScope(scope, () => client.ask(url, { body: makeBody(model) }));

    beforeAll(() => {
      const origin = scheme === 'https' ? lab.origin : lab.plainOrigin;
      url = `${origin}${path}`;
      client = makeClient(name, origin);
    });

    afterAll(() => client.close?.());

    it('records a call of a scope with its session, and answers as the provider did', async () => {
      const scope = await lab.openScope();
      await expect(ask(scope, 'in-scope')).resolves.toEqual({ status: 200, text: chatReply });
      const [record] = await waitForRecordsOf(lab, scope, 1);
      expect(record?.requestedModel).toBe('in-scope');
      expect(record?.url).toContain(path);
    });

    it('leaves a call outside alone', async () => {
      const before = lab.rig.records.length;
      await expect(ask(null, 'outside')).resolves.toEqual({ status: 200, text: chatReply });
      const scope = await lab.openScope();
      await ask(scope, 'after-outside');
      await waitForRecordsOf(lab, scope, 1);
      expect(lab.rig.records.slice(before).map((record) => record.requestedModel)).toEqual(['after-outside']);
    });

    it('never carries a call of one scope, or of none, over the connection of another', async () => {
      const [first, second] = [await lab.openScope(), await lab.openScope()];
      const random = makeRandom(7);
      const owners = [first, second, null];
      const calls = owners.flatMap((owner, index) =>
        Array.from({ length: 50 }, (_, n) => ({ owner, model: `o${index}-${n}`, at: random() })),
      );
      calls.sort((a, b) => a.at - b.at);
      const before = lab.rig.records.length;
      const waves = [calls.slice(0, 60), calls.slice(60, 110), calls.slice(110)];
      for (const wave of waves) {
        const answers = await Promise.all(wave.map(({ owner, model }) => ask(owner, model)));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
      }
      await waitForRecordsOf(lab, first, 50);
      await waitForRecordsOf(lab, second, 50);
      const models = lab.modelsBySession();
      const expected = (index: number): string[] => Array.from({ length: 50 }, (_, n) => `o${index}-${n}`).sort();
      expect([...(models.get(first.session.sessionId) ?? [])].sort()).toEqual(expected(0));
      expect([...(models.get(second.session.sessionId) ?? [])].sort()).toEqual(expected(1));
      expect(lab.rig.records.length - before).toBe(100);
      expect([...first.told, ...second.told]).toEqual([]);
    });

    it('passes a stream on piece by piece', async () => {
      const upstream = scheme === 'https' ? lab.rig.upstream : lab.plain;
      const scope = await lab.openScope();
      const usual = upstream.handler;
      const gates = chatFrames.map(() => makeGate());
      upstream.handler = async (request, response) => {
        request.resume();
        response.setHeader('content-type', 'text/event-stream');
        for (const [index, frame] of chatFrames.entries()) {
          response.write(frame);
          if (index < chatFrames.length - 1) await gates[index]?.promise;
        }
        response.end();
      };
      let seen = '';
      const onChunk = (chunk: string): void => {
        seen += chunk;
        for (const [index, gate] of gates.entries()) {
          if (seen.startsWith(chatFrames.slice(0, index + 1).join(''))) gate.resolve();
        }
      };
      const body = JSON.stringify({ model: 'streamed', stream: true, messages: [] });
      const answer = await runInScope(scope, () => client.ask(url, { body, onChunk }));
      upstream.handler = usual;
      expect(answer.text).toBe(chatFrames.join(''));
      await waitForRecordsOf(lab, scope, 1);
    });

    it('ends a call that is aborted, at the provider too', async () => {
      const upstream = scheme === 'https' ? lab.rig.upstream : lab.plain;
      const scope = await lab.openScope();
      const usual = upstream.handler;
      const arrived = makeGate();
      const left = makeGate();
      upstream.handler = (request) => {
        request.resume();
        request.socket.once('close', () => left.resolve());
        arrived.resolve();
      };
      const abort = new AbortController();
      const call = runInScope(scope, () => client.ask(url, { body: makeBody('aborted'), signal: abort.signal }));
      const outcome = call.then(
        () => 'answered',
        (error: unknown) => (error as Error).name,
      );
      await arrived.promise;
      abort.abort();
      expect(await outcome).toMatch(/AbortError|CanceledError/);
      await left.promise;
      upstream.handler = usual;
    });

    it('sends a body that comes in pieces', async () => {
      const scope = await lab.openScope();
      const whole = makeBody('in-pieces');
      async function* pieces(): AsyncGenerator<Buffer> {
        for (let at = 0; at < whole.length; at += 16) {
          yield Buffer.from(whole.slice(at, at + 16));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      const answer = await runInScope(scope, () => client.ask(url, { body: pieces() }));
      expect(answer.status).toBe(200);
      const [record] = await waitForRecordsOf(lab, scope, 1);
      expect(record?.requestedModel).toBe('in-pieces');
    });
  });
}

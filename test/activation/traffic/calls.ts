import https from 'node:https';
import type tls from 'node:tls';
import * as undici from 'undici';
import type { TestScope } from '../../fixtures/scoped-session.js';
import type { TrafficLab } from './traffic-lab.js';

export const path = '/v1/chat/completions';

export const makeBody = (model: string): string => JSON.stringify({ model, messages: [] });

/** A call by node:https; resolves with the text of the answer. */
export function askNode(
  lab: TrafficLab,
  options: https.RequestOptions & { readonly secureContext?: tls.SecureContext },
  model = 'node',
): Promise<string> {
  return new Promise((done, fail) => {
    const request = https.request(`${lab.origin}${path}`, { method: 'POST', ...options }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => done(text)).on('error', fail);
    });
    request.on('error', fail).end(makeBody(model));
  });
}

/** A call by a dispatcher; resolves with the text of the answer. */
export async function askUndici(lab: TrafficLab, dispatcher: undici.Dispatcher, model = 'undici'): Promise<string> {
  const { body } = await undici.request(`${lab.origin}${path}`, { method: 'POST', body: makeBody(model), dispatcher });
  return await body.text();
}

/** How many calls of the scope are on record. */
export const countOf = (lab: TrafficLab, scope: TestScope): number =>
  lab.rig.records.filter((record) => record.sessionId === scope.session.sessionId).length;

/** With a seed, so that a failure comes again. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

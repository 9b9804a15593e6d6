import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

describe('a POST to a path that nobody has listed, at a provider', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(async () => await rig.close());
  beforeEach(() => {
    rig.records.length = 0;
    rig.upstream.handler = (request, response) => {
      request.resume().once('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"id":"new-1","model":"gpt-9-2027","answer":"yes","usage":{"prompt_tokens":3}}');
      });
    };
  });

  it.each([
    ['api.openai.com', '/v1/oracle', '{"model":"gpt-9","question":"?"}', 'openai', 'gpt-9'],
    ['api.openai.com', '/v1/threads/runs', '{"model":"gpt-9","assistant_id":"a"}', 'openai', 'gpt-9'],
    ['mine.openai.azure.com', '/openai/deployments/mine/oracle?api-version=1', '{"q":1}', 'azure-openai', 'mine'],
    ['generativelanguage.googleapis.com', '/v1beta/models/gemini-9:divine', '{}', 'google', 'gemini-9'],
    ['api.anthropic.com', '/v2/messages', '{"model":"claude-9","messages":[]}', 'anthropic', 'claude-9'],
  ])('%s%s is on record as a call of unknown usage, with the reason', async (host, path, body, provider, model) => {
    const before = rig.session.counts();
    const reply = await ask({ port: rig.session.port, ca: rig.ca, host, path, body });
    expect(JSON.parse(reply.body.toString())).toMatchObject({ answer: 'yes' });
    expect(await rig.waitForRecords(1)).toMatchObject([
      {
        ...{ provider, api: 'other', outcome: 'ok', requestedModel: model, responseId: 'new-1', changes: [] },
        usage: { inputTokens: null, outputTokens: null },
        usageProblem: expect.stringContaining('This path is not known to this version') as string,
      },
    ]);
    const after = rig.session.counts();
    expect([after.calls - before.calls, after.passedRequests - before.passedRequests]).toEqual([1, 0]);
  });

  it.each([
    ['its body names no model', '/v1/oracle', '{"question":"?"}', 'application/json'],
    ['its body is no JSON', '/v1/oracle', '{"model":', 'application/json'],
    ['it is of another type', '/v1/oracle', '{"model":"gpt-9"}', 'text/plain'],
    ['it counts tokens', '/v1/responses/input_tokens', '{"model":"gpt-9"}', 'application/json'],
    ['it makes an assistant', '/v1/assistants', '{"model":"gpt-9"}', 'application/json'],
    ['it starts a tuning', '/v1/fine_tuning/jobs', '{"model":"gpt-9"}', 'application/json'],
    ['it opens a session made ahead', '/v1/realtime/client_secrets', '{"model":"gpt-9"}', 'application/json'],
  ])('is none where %s', async (_why, path, body, type) => {
    const before = rig.session.counts().passedRequests;
    const { port } = rig.session;
    const reply = await ask({ port, ca: rig.ca, path, body, headers: { 'content-type': type } });
    expect(reply.status).toBe(200);
    // Records come in the order in which calls end.
    await ask({ port, ca: rig.ca, path: '/v1/oracle', body: '{"model":"last"}' });
    expect((await rig.waitForRecords(1)).map((record) => record.requestedModel)).toEqual(['last']);
    expect(rig.session.counts().passedRequests).toBe(before + 1);
    expect(rig.faults).toEqual([]);
  });

  it('is a call that failed where the provider does not know the path either', async () => {
    rig.upstream.handler = (request, response) => {
      request.resume();
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"message":"Unknown request URL"}}');
    };
    await ask({ port: rig.session.port, ca: rig.ca, path: '/chat/completions', body: '{"model":"gpt-4o"}' });
    expect(await rig.waitForRecords(1)).toMatchObject([
      { status: 404, outcome: 'http_error', requestedModel: 'gpt-4o' },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { openaiRealtime } from '../../src/providers/openai-realtime.js';
import { openaiResponsesSocket } from '../../src/providers/openai-responses-socket.js';
import { type Passed, readCalls } from './socket-calls.js';

const create = (more: object = {}): Passed => ['C', { type: 'response.create', model: 'm', ...more }];
const event = (type: string, more: object = {}): Passed => ['S', { type, ...more }];
const created = (id: string): Passed => event('response.created', { response: { id, status: 'in_progress' } });
const completed = (id: string, tokens = 1): Passed =>
  event('response.completed', {
    response: { id, status: 'completed', usage: { input_tokens: tokens, output_tokens: tokens } },
  });

const done = (id: string, more: object = {}): Passed =>
  event('response.done', { response: { id, status: 'completed', output: [], ...more } });

describe('Responses over a WebSocket', () => {
  const read = (passed: readonly Passed[]) =>
    readCalls(openaiResponsesSocket, passed).map(({ facts: { reply } }) => [
      reply.responseId,
      reply.complete,
      reply.usage.inputTokens,
    ]);

  it('queued behind one another are answered in their order', () => {
    expect(read([create(), create(), created('a'), completed('a', 1), created('b'), completed('b', 2)])).toEqual([
      ['a', true, 1],
      ['b', true, 2],
    ]);
  });

  it('that fail after an error are one call, and the next is not ended by it', () => {
    const failed = event('response.failed', { response: { id: 'a', status: 'failed' } });
    const error = event('error', { error: { code: 'oops', message: 'No.' } });
    expect(read([create(), create(), created('a'), error, failed, created('b'), completed('b', 2)])).toEqual([
      ['a', true, null],
      ['b', true, 2],
    ]);
  });

  it('whose end could not be read are cut where the next begins', () => {
    expect(read([create(), created('a'), create(), created('b'), completed('b', 2)])).toEqual([
      ['a', false, null],
      ['b', true, 2],
    ]);
  });

  it('that only warm up are no call, also in between and where they fail', () => {
    const error = event('error', { status: 400, error: { message: 'Unsupported parameter: generate' } });
    const warm = create({ generate: false });
    expect(
      read([warm, created('w'), completed('w'), create(), created('a'), completed('a'), warm, error, warm]),
    ).toEqual([['a', true, 1]]);
  });

  it('are not those of other messages on the socket', () => {
    expect(read([['C', 'no JSON'], ['S', '[]'], event('codex.rate_limits'), completed('x'), event('error')])).toEqual(
      [],
    );
  });

  it('say of their session what Codex puts into each, not what it said when it opened the socket', () => {
    const more = {
      prompt_cache_key: 'k',
      client_metadata: { session_id: 's', 'x-codex-turn-metadata': '{"turn":2}', other: 'o' },
    };
    const [call] = readCalls(openaiResponsesSocket, [create(more), created('a'), completed('a')]);
    expect(call?.facts.request.wireSession).toEqual({
      session_id: 's',
      'x-codex-turn-metadata': '{"turn":2}',
      prompt_cache_key: 'k',
    });
  });

  it('take the time of the first piece of output, parsed or not', () => {
    const delta = event('response.output_text.delta', { delta: 'x' });
    const [call] = readCalls(openaiResponsesSocket, [create(), created('a'), delta, delta, completed('a')]);
    expect(call?.facts).toMatchObject({ reply: { firstTokenAtMs: 3 }, outputTimes: { pieces: 2, longestGapMs: 1 } });
  });
});

describe('Realtime', () => {
  it('takes the model of the URL, Azure’s deployment, or what the session says', () => {
    const passed = [event('session.created', { session: {} }), create(), created('a'), done('a')];
    const model = (path: string, messages: readonly Passed[] = passed) =>
      readCalls(openaiRealtime, messages, path)[0]?.facts.request.model;
    expect(model('/v1/realtime?model=gpt-realtime')).toBe('gpt-realtime');
    expect(model('/openai/realtime?api-version=2025-04-01-preview&deployment=mine')).toBe('mine');
    expect(model('/v1/realtime?call_id=rtc_1')).toBeNull();
    expect(
      model('/v1/realtime?call_id=rtc_1', [event('session.updated', { session: { model: 'm1' } }), ...passed]),
    ).toBe('m1');
    expect(
      model('/v1/realtime', [
        create(),
        event('session.created', { session: { model: 'm2' } }),
        created('a'),
        done('a'),
      ]),
    ).toBe('m2');
  });

  it('gives what the client sent before it asked to the call that asked', () => {
    const append: Passed = ['C', { type: 'input_audio_buffer.append', audio: 'AAAA' }];
    const item: Passed = ['C', { type: 'conversation.item.create', item: { type: 'message' } }];
    const calls = readCalls(openaiRealtime, [
      append,
      item,
      create(),
      created('a'),
      append,
      done('a'),
      create(),
      created('b'),
      done('b'),
    ]);
    expect(calls.map(({ kept }) => kept.length)).toEqual([2, 1]);
    const bytes = (...messages: Passed[]) => messages.reduce((sum, [, value]) => sum + JSON.stringify(value).length, 0);
    expect(calls.map(({ requestBytes }) => requestBytes)).toEqual([
      bytes(append, item, create()),
      bytes(append, create()),
    ]);
  });

  it('that is cancelled says why, and keeps its usage', () => {
    const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 };
    const more = { status: 'cancelled', status_details: { type: 'cancelled', reason: 'turn_detected' }, usage };
    expect(readCalls(openaiRealtime, [create(), created('a'), done('a', more)])).toMatchObject([
      {
        facts: {
          reply: { finishReasons: ['turn_detected'], complete: true, usage: { inputTokens: 5, outputTokens: 2 } },
        },
      },
    ]);
  });

  it('leaves an error that names nothing to the request just made, and to no other', () => {
    const error = event('error', { error: { type: 'invalid_request_error', message: 'No.', event_id: null } });
    expect(readCalls(openaiRealtime, [create(), error])).toMatchObject([
      { facts: { reply: { complete: true, error: {} } } },
    ]);
    const update: Passed = ['C', { type: 'session.update', session: {} }];
    const calls = readCalls(openaiRealtime, [create(), update, error, created('a'), done('a')]);
    expect(calls).toMatchObject([{ facts: { reply: { responseId: 'a', error: null } } }]);
  });
});

describe('a transcript of what the user of Realtime says', () => {
  const of = (how: string, item: string, more: object = {}): Passed =>
    event(`conversation.item.input_audio_transcription.${how}`, { item_id: item, content_index: 0, ...more });
  const committed = (item: string): Passed => event('input_audio_buffer.committed', { item_id: item });
  const append: Passed = ['C', { type: 'input_audio_buffer.append', audio: 'AAAA' }];
  const tokens = {
    ...{ type: 'tokens', total_tokens: 26, input_tokens: 17, output_tokens: 9 },
    input_token_details: { text_tokens: 2, audio_tokens: 15 },
  };
  const session = (more: object): Passed => event('session.updated', { session: more });
  const input = { input: { transcription: { model: 'gpt-4o-mini-transcribe' } } };

  it('is a call of its own model, beside the response, which keeps what was sent for it', () => {
    const calls = readCalls(openaiRealtime, [
      session({ type: 'realtime', model: 'gpt-realtime', audio: input }),
      append,
      committed('item_1'),
      of('delta', 'item_1', { delta: 'Good ' }),
      create(),
      created('a'),
      of('completed', 'item_1', { transcript: 'Good day.', usage: tokens }),
      done('a'),
    ]);
    expect(calls).toMatchObject([
      {
        requestBytes: 0,
        facts: {
          api: 'realtime.transcription',
          request: { model: 'gpt-4o-mini-transcribe' },
          reply: {
            ...{ responseId: 'item_1', complete: true, finishReasons: ['completed'], usageProblem: null },
            usage: { inputTokens: 17, outputTokens: 9, totalTokens: 26 },
            usageDetails: { inputTextTokens: 2, inputAudioTokens: 15 },
          },
          outputTimes: { pieces: 2 },
        },
      },
      { facts: { request: { model: 'gpt-realtime' }, reply: { responseId: 'a' } } },
    ]);
    expect(calls[1]?.requestBytes).toBeGreaterThan(JSON.stringify(append[1]).length);
  });

  it('alone on its socket has what was sent, and may be stated in seconds', () => {
    const usage = { type: 'duration', seconds: 2.5 };
    const passed = [append, committed('i'), of('completed', 'i', { transcript: 'Hi', usage })];
    const ga = readCalls(openaiRealtime, [session({ type: 'transcription', audio: input }), ...passed]);
    const beta = event('transcription_session.updated', {
      session: { input_audio_transcription: { model: 'whisper-1' } },
    });
    expect([...ga, ...readCalls(openaiRealtime, [beta, ...passed])]).toMatchObject(
      ['gpt-4o-mini-transcribe', 'whisper-1'].map((model) => ({
        requestBytes: JSON.stringify(append[1]).length,
        facts: {
          request: { model },
          reply: { usage: { inputTokens: null }, usageDetails: { inputSeconds: 2.5 }, complete: true },
        },
      })),
    );
  });

  it('that fails has its error, and one that has not ended with its socket is cut', () => {
    const error = { type: 'transcription_error', code: 'audio_unintelligible', message: 'Nothing was heard.' };
    const calls = readCalls(openaiRealtime, [of('failed', 'a', { error }), of('delta', 'b', { delta: 'Hel' })]);
    expect(calls).toMatchObject([
      { facts: { reply: { error: { code: 'audio_unintelligible' }, complete: true, finishReasons: ['failed'] } } },
      { last: null, facts: { reply: { complete: false, finishReasons: [] } } },
    ]);
  });
});

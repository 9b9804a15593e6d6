import { describe, expect, it } from 'vitest';
import { googleLive } from '../../src/providers/google-live.js';
import { type Passed, readCalls } from './socket-calls.js';

const setup: Passed = ['C', { setup: { model: 'projects/p/locations/l/publishers/google/models/gemini-live' } }];
const ask = (text: string): Passed => ['C', { clientContent: { turns: [{ parts: [{ text }] }], turnComplete: true } }];
const sound: Passed = ['C', { realtimeInput: { audio: { data: 'AAAA', mimeType: 'audio/pcm' } } }];
const text = (word: string): Passed => ['S', { serverContent: { modelTurn: { parts: [{ text: word }] } } }];
const count = (prompt: number, response: number, more: object = {}) => ({
  usageMetadata: {
    promptTokenCount: prompt,
    responseTokenCount: response,
    totalTokenCount: prompt + response,
    ...more,
  },
});
const done = (usage: object = {}, content: object = {}): Passed => [
  'S',
  { serverContent: { turnComplete: true, ...content }, ...usage },
];
const usages = (passed: readonly Passed[]) =>
  readCalls(googleLive, passed).map(({ facts: { reply } }) => [reply.usage.inputTokens, reply.usage.outputTokens]);

describe('a turn of Gemini Live', () => {
  it('is a call with the model of the setup, and begins with the first content of its client', () => {
    const calls = readCalls(googleLive, [setup, sound, sound, text('Hi'), sound, done(count(10, 5))]);
    expect(calls).toMatchObject([
      {
        facts: {
          request: { model: 'gemini-live', stream: true },
          reply: { complete: true, usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, firstTokenAtMs: 4 },
        },
        kept: [],
        last: { serverContent: { turnComplete: true } },
      },
    ]);
    expect(calls[0]?.requestBytes).toBe(3 * JSON.stringify(sound[1]).length);
  });

  it('begins with its client’s content in either spelling: Google’s package for Python says client_content', () => {
    const asked: Passed = ['C', { client_content: { turns: [{ parts: [{ text: 'Hi' }] }], turn_complete: true } }];
    const spoken: Passed = ['C', { realtime_input: { audio: { data: 'AAAA', mimeType: 'audio/pcm' } } }];
    const [call, cut, answered] = readCalls(googleLive, [
      ...[setup, asked, text('Hi'), done(count(10, 5))],
      ...[spoken, ['C', { realtime_input: { activity_end: {} } }] as Passed, text('Yes'), done(count(10, 5))],
      ...[['C', { tool_response: { functionResponses: [] } }] as Passed],
    ]);
    expect(call).toMatchObject({ kept: [asked[1]], facts: { reply: { complete: true } } });
    expect(cut).toMatchObject({ kept: [], requestBytes: expect.any(Number) });
    expect(cut?.requestBytes).toBeGreaterThan(JSON.stringify(spoken[1]).length);
    expect(answered).toMatchObject({ facts: { reply: { complete: false } } });
  });

  it('has the usage its last message states, as measured at two models: nothing is summed up over the session', () => {
    const turn = (prompt: number, response: number): Passed[] => [ask('x'), text('y'), done(count(prompt, response))];
    expect(usages([setup, ...turn(143, 19), ...turn(181, 24), ...turn(224, 24)])).toEqual([
      [143, 19],
      [181, 24],
      [224, 24],
    ]);
  });

  it('counts thinking and tool results, and both by modality', () => {
    const usageMetadata = {
      promptTokenCount: 522,
      toolUsePromptTokenCount: 8,
      cachedContentTokenCount: 100,
      candidatesTokenCount: 42,
      thoughtsTokenCount: 136,
      totalTokenCount: 572,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 332 },
        { modality: 'AUDIO', tokenCount: 165 },
      ],
      cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 100 }],
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 42 }],
    };
    expect(readCalls(googleLive, [setup, ask('x'), text('y'), done({ usageMetadata })])).toMatchObject([
      {
        facts: {
          reply: {
            usage: {
              inputTokens: 530,
              outputTokens: 178,
              cacheReadTokens: 100,
              reasoningTokens: 136,
              totalTokens: 572,
            },
            usageDetails: {
              inputTextTokens: 332,
              inputAudioTokens: 165,
              cacheReadTextTokens: 100,
              outputAudioTokens: 42,
              toolPromptTokens: 8,
            },
          },
        },
      },
    ]);
  });

  it('adds up the requests around a tool call, and takes the last of counts that run', () => {
    const toolCall: Passed = [
      'S',
      { toolCall: { functionCalls: [{ id: '1', name: 'look', args: {} }] }, ...count(10, 3) },
    ];
    const answer: Passed = ['C', { toolResponse: { functionResponses: [{ id: '1', response: {} }] } }];
    const running: Passed = ['S', { serverContent: { modelTurn: { parts: [{ text: 'a' }] } }, ...count(20, 1) }];
    const calls = readCalls(googleLive, [setup, ask('x'), toolCall, answer, running, done(count(20, 4))]);
    expect(calls).toMatchObject([
      { facts: { reply: { toolCalls: ['look'], usage: { inputTokens: 30, outputTokens: 7, totalTokens: 37 } } } },
    ]);
    expect(calls[0]?.kept).toHaveLength(2);
  });

  it('says nothing of usage stated for two prompts without a tool call between them', () => {
    const first: Passed = ['S', { serverContent: { modelTurn: { parts: [{ text: 'a' }] } }, ...count(10, 1) }];
    expect(readCalls(googleLive, [setup, ask('x'), first, done(count(20, 4))])).toMatchObject([
      {
        facts: {
          reply: {
            usage: { inputTokens: null, outputTokens: null },
            usageProblem: expect.stringMatching(/overlap/) as string,
          },
        },
      },
    ]);
  });

  it('has the usage that comes behind its end, also when the next has begun to be asked for', () => {
    const late: Passed = ['S', { sessionResumptionUpdate: {}, ...count(10, 5) }];
    const calls = readCalls(googleLive, [
      setup,
      ask('x'),
      text('y'),
      done(),
      sound,
      late,
      ask('z'),
      text('y'),
      done(count(30, 6)),
    ]);
    expect(calls).toMatchObject([
      {
        facts: { reply: { usage: { inputTokens: 10, outputTokens: 5 } } },
        last: { serverContent: { turnComplete: true } },
      },
      { facts: { reply: { usage: { inputTokens: 30, outputTokens: 6 } } } },
    ]);
  });

  it('has none when the next one’s output comes first, and then nobody has what comes late', () => {
    const toolCall: Passed = ['S', { toolCall: { functionCalls: [] } }];
    expect(usages([setup, ask('x'), text('y'), done(), ask('z'), toolCall, done(count(30, 6))])).toEqual([
      [null, null],
      [30, 6],
    ]);
  });

  it('that is interrupted says so', () => {
    const interrupted: Passed = ['S', { serverContent: { interrupted: true } }];
    expect(readCalls(googleLive, [setup, ask('x'), text('y'), interrupted, done(count(9, 2))])).toMatchObject([
      { facts: { reply: { finishReasons: ['interrupted'], complete: true, usage: { outputTokens: 2 } } } },
    ]);
  });

  it('that has not ended with its socket is cut; an open microphone alone is no call', () => {
    expect(readCalls(googleLive, [setup, ask('x')])).toMatchObject([
      { facts: { reply: { complete: false } }, last: null },
    ]);
    expect(readCalls(googleLive, [setup, sound, text('y')])).toMatchObject([{ facts: { reply: { complete: false } } }]);
    expect(readCalls(googleLive, [setup, ask('x'), text('y'), done(count(1, 1)), sound])).toHaveLength(1);
    expect(readCalls(googleLive, [setup, ['S', { setupComplete: {} }], ['S', { goAway: {} }]])).toEqual([]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import type { Dialect, ReplyFacts } from '../../src/core/wire.js';
import { anthropicMessages } from '../../src/providers/anthropic-messages.js';
import { bedrockConverseStream } from '../../src/providers/bedrock-converse.js';
import { bedrockInvokeStream } from '../../src/providers/bedrock-invoke.js';
import { CATALOGUE } from '../../src/providers/catalogue.js';
import { googleStreamGenerate } from '../../src/providers/google-generate.js';
import { openaiSpeech } from '../../src/providers/openai-audio.js';
import { openaiChat } from '../../src/providers/openai-chat.js';
import { openaiCompletions } from '../../src/providers/openai-completions.js';
import { openaiEmbeddings } from '../../src/providers/openai-embeddings.js';
import { openaiImages } from '../../src/providers/openai-images.js';
import { openaiResponses } from '../../src/providers/openai-responses.js';
import { encodeChunk, encodeEvent, encodeMessage } from '../fixtures/event-stream.js';

const request = { model: null, stream: true, wireSession: null };
const sse = 'text/event-stream';

function read(dialect: Dialect, body: string | Uint8Array, contentType: string | null = sse): ReplyFacts {
  const reader = dialect.openReply({ status: 200, contentType }, request);
  reader.write(Buffer.from(body), 1);
  return reader.end();
}

function makeFrames(...documents: readonly JsonValue[]): string {
  return documents.map((document) => `data: ${JSON.stringify(document)}\n\n`).join('');
}

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

describe('the framing of a reply', () => {
  it('is that of the bytes when a JSON reply is labelled an event stream', () => {
    expect(read(openaiChat, JSON.stringify({ usage })).usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
  });

  it('is that of the bytes when an event stream is labelled JSON', () => {
    const body = `${makeFrames({ choices: [], usage })}data: [DONE]\n\n`;
    expect(read(openaiChat, `event: message\n${body}`, 'application/json')).toMatchObject({
      complete: true,
      usageProblem: null,
    });
  });

  it('is found behind white space of any length', () => {
    const reader = openaiChat.openReply({ status: 200, contentType: null }, request);
    for (let line = 0; line < 1000; line++) reader.write(Buffer.from('\n'.repeat(100)), 1);
    reader.write(Buffer.from(JSON.stringify({ usage })), 2);
    expect(reader.end().usage.totalTokens).toBe(7);
  });
});

describe('a reply that is media', () => {
  it.each(['audio/mpeg', 'audio/pcm', 'application/octet-stream', 'image/png'])('of %s states no usage', (type) => {
    const first = type === 'application/octet-stream' ? 0xff : 0x7b;
    const facts = read(openaiSpeech, Buffer.concat([Buffer.from([first]), Buffer.alloc(3_000_000, '"}{[')]), type);
    expect(facts).toMatchObject({ complete: true, firstTokenAtMs: null, usage: { inputTokens: null } });
    expect(facts.usageProblem).toBe(`The reply is no text (content type ${type}), and states no usage.`);
  });

  it('is read all the same where octets are text', () => {
    const done = { type: 'speech.audio.done', usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 } };
    expect(read(openaiSpeech, makeFrames(done), 'application/octet-stream').usage.totalTokens).toBe(7);
  });
});

describe('a reply of any bytes', () => {
  const dialects = [...new Set(CATALOGUE.flatMap(({ apis }) => apis.map(({ dialect }) => dialect)))];

  it('never throws, and explains what it does not know', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.constantFrom(...dialects),
        fc.constantFrom(sse, 'application/json', 'application/vnd.amazon.eventstream', null),
        (bytes, dialect, type) => {
          const facts = read(dialect, bytes, type);
          expect(facts.usageProblem).not.toBeNull();
        },
      ),
    );
  });

  it('never throws over JSON of any shape in the fields it knows', () => {
    const keys = [
      'type',
      'usage',
      'choices',
      'delta',
      'message',
      'tool_calls',
      'function',
      'name',
      'index',
      'id',
      'response',
      'output',
      'item',
      'content',
      'error',
      'candidates',
      'parts',
      'usageMetadata',
      'prompt_tokens',
      'input_tokens',
      'promptTokenCount',
      'promptTokensDetails',
      'modality',
      'tokenCount',
      'metadata',
      'messageStop',
      'contentBlockStart',
      'contentBlockIndex',
      'start',
      'toolUse',
      'stopReason',
      'inputTokens',
      'outputTokens',
      'cacheDetails',
      'ttl',
      'amazon-bedrock-invocationMetrics',
      'inputTokenCount',
      'outputTokenCount',
      'generation_token_count',
      'results',
      'outputs',
      'generations',
      'completions',
      'finishReason',
      'meta',
      'images',
      'predictions',
      'embeddings',
      'statistics',
      'token_count',
      'stop_reason',
      'meta',
      'tokens',
      'billed_units',
      'cached_tokens',
      'image_tokens',
      'prompt_eval_count',
      'eval_count',
      'done',
      'done_reason',
      'event_type',
      'seconds',
      'data',
      'usage_info',
      'pages_processed',
      'cost',
    ];
    const shape = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<JsonValue>(
          null,
          true,
          -1,
          1.5,
          7,
          '',
          'message_start',
          'response.completed',
          'message-end',
          'stream-end',
          'image_edit.completed',
          'null',
          '__proto__',
        ),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(shape.value, fc.constantFrom(...dialects), (value, dialect) => {
        const text = JSON.stringify(value);
        const events = Buffer.concat([
          encodeChunk(value),
          encodeEvent('metadata', value),
          encodeEvent('__proto__', value),
        ]);
        for (const body of [text, `data: ${text}\n\n`, `[${text}]`, `${text}\n${text}\n`, events]) {
          const facts = read(dialect, body, null);
          const isKnown = facts.usage.inputTokens !== null && facts.usage.outputTokens !== null;
          expect(facts.usageProblem === null).toBe(isKnown);
          expect(facts.usageProblem).not.toMatch(/reader of the reply failed/);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('a chat completion', () => {
  it('counts calls that share index 0 but not their id, and pieces of one call once', () => {
    const call = (id: string | undefined, name: string | undefined) => ({
      choices: [
        {
          index: 0,
          delta: {
            tool_calls: [
              {
                index: 0,
                ...(id === undefined ? {} : { id }),
                function: { ...(name === undefined ? {} : { name }), arguments: '{' },
              },
            ],
          },
        },
      ],
    });
    const frames = makeFrames(call('a', 'first'), call(undefined, undefined), call('a', 'first'), call('b', 'second'));
    expect(read(openaiChat, frames).toolCalls).toEqual(['first', 'second']);
  });

  it('names the older kind of function call too', () => {
    const message = { role: 'assistant', content: null, function_call: { name: 'lookup', arguments: '{}' } };
    const reply = { choices: [{ index: 0, message, finish_reason: 'function_call' }], usage };
    expect(read(openaiChat, JSON.stringify(reply), 'application/json').toolCalls).toEqual(['lookup']);
  });

  it('takes running usage for final only once it has ended', () => {
    const frame = (completion: number, finish: string | null) => ({
      choices: [{ index: 0, delta: { content: 'x' }, finish_reason: finish }],
      usage: { prompt_tokens: 3, completion_tokens: completion, total_tokens: 3 + completion },
    });
    const cut = read(openaiChat, makeFrames(frame(1, null), frame(2, null)));
    expect(cut.usage).toMatchObject({ inputTokens: 3, outputTokens: null, totalTokens: null });
    expect(cut.usageProblem).toBe(
      'The stream ended before its final usage; its last running count of output tokens was 2.',
    );
    expect(read(openaiChat, makeFrames(frame(1, null), frame(2, 'stop'))).usage.outputTokens).toBe(2);
  });

  describe('of several choices with running usage', () => {
    const frame = (index: number, completion: number, finish: string | null) => ({
      choices: [{ index, delta: { content: 'x' }, text: 'x', finish_reason: finish }],
      usage: { prompt_tokens: 3, completion_tokens: completion, total_tokens: 3 + completion },
    });
    const apart = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 } };
    const sideBySide = [frame(0, 1, null), frame(1, 2, null), frame(0, 3, 'stop')];
    const both = [...sideBySide, frame(1, 4, 'stop')];
    const dialects = [openaiChat, openaiCompletions].map((dialect) => ({ api: dialect.api, dialect }));

    it.each(dialects)('takes none of it for final when cut while one goes on ($api)', ({ dialect }) => {
      for (const frames of [sideBySide, both, [frame(0, 3, 'stop'), frame(1, 4, null)], [...sideBySide, apart]]) {
        const facts = read(dialect, makeFrames(...frames));
        expect(facts.usage).toMatchObject({ inputTokens: 3, outputTokens: null, totalTokens: null });
        expect(facts.usageProblem).toMatch(/^The stream ended before its final usage; /);
      }
    });

    it.each(dialects)('takes it for final at the end, or when stated apart ($api)', ({ dialect }) => {
      expect(read(dialect, `${makeFrames(...both)}data: [DONE]\n\n`).usage.outputTokens).toBe(4);
      expect(read(dialect, makeFrames(...both, apart)).usage.outputTokens).toBe(6);
    });
  });

  it('sums what it reports where no total is stated', () => {
    const reply = { usage: { prompt_tokens: 5, completion_tokens: 6 } };
    expect(read(openaiChat, JSON.stringify(reply), null).usage.totalTokens).toBe(11);
  });

  it('says which count was no count', () => {
    const reply = { usage: { prompt_tokens: '5', completion_tokens: 6 } };
    const facts = read(openaiChat, JSON.stringify(reply), null);
    expect(facts.usage).toMatchObject({ inputTokens: null, outputTokens: 6, totalTokens: null });
    expect(facts.usageProblem).toBe('A token count was expected in prompt_tokens, but a string was found.');
  });

  it('keeps at most 1000 tool calls and 256 finish reasons of a hostile stream', () => {
    const calls = Array.from({ length: 3000 }, (_, index) => ({ index, id: `c${index}`, function: { name: 'f' } }));
    const choices = Array.from({ length: 3000 }, (_, index) => ({ index, delta: {}, finish_reason: 'stop' }));
    const facts = read(openaiChat, makeFrames({ choices: [{ index: 0, delta: { tool_calls: calls } }] }, { choices }));
    expect(facts.toolCalls).toHaveLength(1000);
    expect(facts.finishReasons).toHaveLength(256);
  });
});

describe('a count that is no count', () => {
  function explain(usageMetadata: JsonValue): string | null {
    return read(googleStreamGenerate, JSON.stringify({ usageMetadata }), null).usageProblem;
  }

  it('is named where it is what makes input or output unknown, not another', () => {
    const wrong = {
      promptTokenCount: 3,
      cachedContentTokenCount: 'x',
      candidatesTokenCount: 4,
      thoughtsTokenCount: -1,
    };
    expect(explain(wrong)).toBe('A token count was expected in thoughtsTokenCount, but a negative number was found.');
    const { candidatesTokenCount: _, ...leftOut } = { ...wrong, totalTokenCount: [] };
    expect(explain(leftOut)).toBe('A token count was expected in totalTokenCount, but an array was found.');
    expect(explain({ ...wrong, promptTokenCount: 1.5 })).toMatch(/^A token count was expected in promptTokenCount,/);
  });

  it('is not blamed when what is missing was not stated', () => {
    expect(explain({ promptTokenCount: 3, cachedContentTokenCount: -1 })).toMatch(
      /the output tokens were not stated\.$/,
    );
    const reply = { usage: { prompt_tokens: 3, total_tokens: 'x' } };
    expect(read(openaiChat, JSON.stringify(reply), null).usageProblem).toBe(
      'Looked for usage.prompt_tokens and usage.completion_tokens, but the output tokens were not stated.',
    );
  });
});

describe('generated content of several candidates', () => {
  const frame = (index: number, count: number, finishReason?: string) => ({
    candidates: [
      { index, content: { parts: [{ text: 'x' }] }, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: count, totalTokenCount: 3 + count },
  });

  it('has not ended while one goes on', () => {
    for (const frames of [
      [frame(0, 1), frame(1, 2), frame(0, 3, 'STOP')],
      [frame(0, 1, 'STOP'), frame(1, 2)],
    ]) {
      const facts = read(googleStreamGenerate, makeFrames(...frames));
      expect(facts).toMatchObject({
        complete: false,
        usage: { inputTokens: 3, outputTokens: null, totalTokens: null },
      });
    }
  });

  it('has ended when the last of them has', () => {
    const facts = read(googleStreamGenerate, makeFrames(frame(0, 1, 'STOP'), frame(1, 2), frame(1, 3, 'STOP')));
    expect(facts).toMatchObject({ complete: true, usage: { outputTokens: 3, totalTokens: 6 } });
  });
});

describe('messages', () => {
  it('leave input unknown when a cache count is no count, since the sum is', () => {
    const reply = {
      type: 'message',
      content: [],
      usage: { input_tokens: 5, cache_read_input_tokens: '9', output_tokens: 2 },
    };
    const facts = read(anthropicMessages, JSON.stringify(reply), null);
    expect(facts.usage).toMatchObject({ inputTokens: null, cacheReadTokens: null, outputTokens: 2 });
    expect(facts.usageProblem).toBe('A token count was expected in cache_read_input_tokens, but a string was found.');
  });

  it('without cache counts have none, not zero', () => {
    const reply = { type: 'message', content: [], usage: { input_tokens: 5, output_tokens: 2 } };
    expect(read(anthropicMessages, JSON.stringify(reply), null).usage).toEqual({
      inputTokens: 5,
      outputTokens: 2,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      totalTokens: 7,
    });
  });
});

describe('an event too large to read', () => {
  it('is named where it may have carried the usage', () => {
    const output = [{ type: 'message', content: [{ type: 'output_text', text: 'x'.repeat(9 * 1024 * 1024) }] }];
    const last = { type: 'response.completed', response: { status: 'completed', output, usage } };
    const facts = read(
      openaiResponses,
      makeFrames({ type: 'response.created', response: { id: 'r', status: 'in_progress' } }, last),
    );
    expect(facts).toMatchObject({ responseId: 'r', complete: false });
    expect(facts.usageProblem).toMatch(
      /in 1 frames, but some could not be read: An event of the stream was larger than \d+ bytes/,
    );
  });
});

describe('an AWS event stream', () => {
  const type = 'application/vnd.amazon.eventstream';

  it('says which message could not be read where it may have carried the usage', () => {
    const last = encodeEvent('metadata', { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } });
    last[40] = (last[40] ?? 0) ^ 1;
    const body = Buffer.concat([encodeEvent('messageStart', { role: 'assistant' }), last]);
    const facts = read(bedrockConverseStream, body, type);
    expect(facts.complete).toBe(false);
    expect(facts.usageProblem).toMatch(
      /in 1 frames, but some could not be read: A message of the event stream could not be read: .*checksum/,
    );
  });

  it("takes a message of AWS's own for the error it states", () => {
    const headers = { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'It broke.' };
    const facts = read(bedrockConverseStream, encodeMessage(headers, Buffer.alloc(0)), type);
    expect(facts.error).toEqual({ code: 'InternalError', message: 'It broke.' });
  });

  it('is not complete without the metadata that ends it, and knows no usage', () => {
    const body = Buffer.concat([
      encodeEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'x' } }),
      encodeEvent('messageStop', { stopReason: 'end_turn' }),
    ]);
    expect(read(bedrockConverseStream, body, type)).toMatchObject({
      complete: false,
      finishReasons: ['end_turn'],
      usage: { inputTokens: null, outputTokens: null },
    });
  });

  it('is complete with its stop reason and its metadata, whichever comes first', () => {
    const stop = encodeEvent('messageStop', { stopReason: 'end_turn' });
    const last = encodeEvent('metadata', { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } });
    for (const events of [
      [stop, last],
      [last, stop],
    ])
      expect(read(bedrockConverseStream, Buffer.concat(events), type)).toMatchObject({
        complete: true,
        finishReasons: ['end_turn'],
        usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
      });
    expect(read(bedrockConverseStream, last, type)).toMatchObject({ complete: false, usage: { outputTokens: 4 } });
  });

  it('keeps a chunk that holds no bytes as the event it is', () => {
    const kept: string[] = [];
    const keep = (piece: string | Uint8Array): void => void kept.push(piece.toString());
    const head = { status: 200, contentType: type, findHeader: () => null, keep };
    const reader = bedrockInvokeStream.openReply(head, request);
    reader.write(encodeEvent('chunk', { bytes: '' }), 1);
    reader.write(encodeEvent('chunk', { bytes: '', p: 'abc' }), 2);
    reader.end();
    expect(kept.join('')).toBe('{"chunk":{"bytes":""}}\n{"chunk":{"bytes":"","p":"abc"}}\n');
  });

  it('counts events that hold no JSON, and goes on', () => {
    const body = Buffer.concat([
      encodeMessage({ ':message-type': 'event', ':event-type': 'ping' }, Buffer.from('pong')),
      encodeEvent('chunk', { bytes: 'bm8gSlNPTg==' }),
    ]);
    expect(read(bedrockInvokeStream, body, type).usageProblem).toBe(
      `None of the 2 events of the stream held a JSON object (content type ${type}).`,
    );
  });
});

describe("Bedrock's own counts", () => {
  const answer = JSON.stringify({ outputs: [{ text: 'x', stop_reason: 'stop' }] });
  const readWith = (headers: Readonly<Record<string, string>>, body = answer): ReplyFacts => {
    const findHeader = (name: string): string | null => headers[name] ?? null;
    const reader = bedrockInvokeStream.openReply({ status: 200, contentType: 'application/json', findHeader }, request);
    reader.write(Buffer.from(body), 1);
    return reader.end();
  };
  const input = 'x-amzn-bedrock-input-token-count';
  const output = 'x-amzn-bedrock-output-token-count';

  it('stand in for what a family leaves out, never for what it states', () => {
    const llama = JSON.stringify({
      generation: 'x',
      prompt_token_count: 5,
      generation_token_count: 6,
      stop_reason: 's',
    });
    const headers = { [input]: '50', [output]: '60' };
    expect(readWith(headers).usage).toMatchObject({ inputTokens: 50, outputTokens: 60, totalTokens: 110 });
    expect(readWith(headers, llama).usage).toMatchObject({ inputTokens: 5, outputTokens: 6, totalTokens: 11 });
  });

  it('leave out the cache, which is added', () => {
    const headers = { [input]: '5', [output]: '6', 'x-amzn-bedrock-cache-read-input-token-count': '100' };
    expect(readWith(headers).usage).toMatchObject({ inputTokens: 105, cacheReadTokens: 100, outputTokens: 6 });
  });

  it.each(['-1', '1.5', 'many', '9'.repeat(30)])('are unknown when the header says %s', (value) => {
    const facts = readWith({ [input]: value, [output]: '6' });
    expect(facts.usage).toMatchObject({ inputTokens: null, outputTokens: 6 });
    expect(facts.usageProblem).toBe(`A token count was expected in ${input}, but a string was found.`);
  });

  it('name the tier that served', () => {
    expect(readWith({ 'x-amzn-bedrock-service-tier': 'flex' }).serviceTier).toBe('flex');
  });
});

describe('counts by modality', () => {
  it('add up where one is listed twice, and are unknown where one is no count', () => {
    const usageMetadata = {
      promptTokenCount: 9,
      candidatesTokenCount: 1,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 2 },
        { modality: 'TEXT', tokenCount: 3 },
        { modality: 'IMAGE', tokenCount: 'x' },
        { modality: 'IMAGE', tokenCount: 4 },
        'noise',
      ],
    };
    const facts = read(googleStreamGenerate, JSON.stringify({ usageMetadata }), null);
    expect(facts.usageDetails).toEqual({ inputTextTokens: 5 });
  });
});
describe('what a reply says it cost', () => {
  const cost = (dialect: Dialect, usage: JsonValue, name = 'usage') =>
    read(dialect, JSON.stringify({ type: dialect === anthropicMessages ? 'message' : undefined, [name]: usage }), null)
      .reportedUsd;

  it.each([openaiChat, openaiCompletions, openaiEmbeddings, openaiResponses, anthropicMessages])(
    'is read wherever usage stands',
    (dialect) => {
      expect(cost(dialect, { cost: 0.95 })).toBe(0.95);
      expect(cost(dialect, { cost: 0 })).toBe(0);
      expect(cost(dialect, { cost: -1 })).toBeNull();
      expect(cost(dialect, { cost: '0.95' })).toBeNull();
      expect(cost(dialect, {})).toBeNull();
    },
  );

  it('has what the provider bills on a key of the caller, and on no other', () => {
    const details = { upstream_inference_cost: 19 };
    expect(cost(openaiChat, { cost: 0.95, is_byok: true, cost_details: details })).toBe(19.95);
    expect(cost(openaiChat, { cost: 19, is_byok: false, cost_details: details })).toBe(19);
    expect(cost(openaiChat, { cost: 19, cost_details: details })).toBe(19);
    expect(cost(openaiChat, { cost: 0.95, is_byok: true, cost_details: { upstream_inference_cost: null } })).toBe(0.95);
  });

  it('is read in ticks of ten thousand million to the dollar', () => {
    for (const dialect of [openaiChat, openaiImages])
      expect(cost(dialect, { cost_in_usd_ticks: 200_000_000 })).toBe(0.02);
  });

  it('is the total where parts are listed', () => {
    expect(cost(openaiChat, { cost: { input_tokens_cost: 0.001, output_tokens_cost: 0.002, total_cost: 0.008 } })).toBe(
      0.008,
    );
  });
});

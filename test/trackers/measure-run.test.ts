import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { ConfigTracker } from '../../src/trackers/config-tracker.js';
import type { RunMetrics } from '../../src/trackers/run-metrics.js';
import { openRecorder } from '../fixtures/run-recorder.js';

function openTracker() {
  const recorder = openRecorder();
  const { sink, logger, clock } = recorder;
  const tracker = new ConfigTracker({ sink, logger, clock, context: {}, configKey: 'cfg' });
  return { ...recorder, tracker, debug: () => recorder.lines.filter(({ level }) => level === 'debug') };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const never = new Promise<RunMetrics>(() => undefined);

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i;
}

describe('trackDurationOf', () => {
  it('times what succeeds and what fails, and says nothing of either', async () => {
    const first = openTracker();
    const working = async (): Promise<string> => {
      await Promise.resolve();
      first.advance(7);
      return 'R';
    };
    await expect(first.tracker.trackDurationOf(working)).resolves.toBe('R');
    expect(first.brief()).toEqual([['$ld:ai:duration:total', 7]]);
    const second = openTracker();
    const failing = (): never => {
      second.advance(3);
      throw new Error('boom');
    };
    await expect(second.tracker.trackDurationOf(failing)).rejects.toThrow('boom');
    expect(second.brief()).toEqual([['$ld:ai:duration:total', 3]]);
  });
});

describe('trackMetricsOf', () => {
  it('prefers the duration the runner reports, still first in order', async () => {
    const { tracker, advance, brief } = openTracker();
    await tracker.trackMetricsOf(
      () => ({ success: true, durationMs: 999 }),
      () => advance(250),
    );
    expect(brief()).toEqual([
      ['$ld:ai:duration:total', 999],
      ['$ld:ai:generation:success', 1],
    ]);
  });

  it('measures for itself where the reported duration is no number', async () => {
    const { tracker, advance, brief } = openTracker();
    await tracker.trackMetricsOf(
      () => ({ success: false, durationMs: Number.NaN }),
      () => advance(250),
    );
    expect(brief()[0]).toEqual(['$ld:ai:duration:total', 250]);
  });

  it.each([
    ['nothing', undefined],
    ['no outcome', {}],
  ])('records the duration alone where the extractor says %s', async (_, metrics) => {
    const { tracker, brief, debug } = openTracker();
    await expect(
      tracker.trackMetricsOf(
        () => metrics as unknown as RunMetrics,
        () => 'R',
      ),
    ).resolves.toBe('R');
    expect(brief()).toEqual([['$ld:ai:duration:total', 0]]);
    expect(debug()).toHaveLength(1);
  });

  it('waits for an extractor that is asynchronous, and rethrows what it rejects with', async () => {
    const { tracker, brief } = openTracker();
    const failing = tracker.trackMetricsOf(
      async () => await Promise.reject(new Error('bad extractor')),
      () => 'R',
    );
    await expect(failing).rejects.toThrow('bad extractor');
    expect(brief()).toEqual([['$ld:ai:duration:total', 0]]);
  });

  it('rethrows the very error of an operation that throws at once', async () => {
    const { tracker, brief } = openTracker();
    const error = new Error('boom');
    const failing = tracker.trackMetricsOf(
      () => ({ success: true }),
      () => {
        throw error;
      },
    );
    await expect(failing).rejects.toBe(error);
    expect(brief().map(([event]) => event)).toEqual(['$ld:ai:duration:total', '$ld:ai:generation:error']);
  });

  it('runs an operation again on the same tracker, warns of three things, and counts its tools', async () => {
    const { tracker, events, warnings } = openTracker();
    const metrics = { success: true, tokens: { total: 3, input: 1, output: 2 }, toolCalls: ['x'] };
    for (const result of ['first', 'second']) {
      const given = tracker.trackMetricsOf(
        () => metrics,
        async () => await Promise.resolve(result),
      );
      await expect(given).resolves.toBe(result);
    }
    expect(warnings()).toHaveLength(3);
    expect(events.slice(6).map(({ event }) => event)).toEqual(['$ld:ai:tool_call']);
    expect(tracker.getSummary().toolCalls).toEqual(['x', 'x']);
  });
});

describe('trackStreamMetricsOf', () => {
  it('gives the stream itself, at once, and the duration last', async () => {
    const { tracker, brief } = openTracker();
    const stream = count(2);
    const tokens = { total: 3, input: 1, output: 2 };
    const given = tracker.trackStreamMetricsOf(
      () => stream,
      async () => await Promise.resolve({ success: true, tokens, durationMs: 77 }),
    );
    expect(given).toBe(stream);
    expect(brief()).toEqual([]);
    await turn();
    expect(brief().map(([event]) => event)).toEqual([
      '$ld:ai:generation:success',
      '$ld:ai:tokens:total',
      '$ld:ai:tokens:input',
      '$ld:ai:tokens:output',
      '$ld:ai:duration:total',
    ]);
    expect(brief().at(-1)?.[1]).toBe(77);
  });

  it('says at debug why an extractor failed, and lets nobody else hear of it', async () => {
    const { tracker, brief, debug } = openTracker();
    tracker.trackStreamMetricsOf(
      () => 'S',
      () => {
        throw new Error('no usage');
      },
    );
    await turn();
    expect(brief().map(([event]) => event)).toEqual(['$ld:ai:generation:error', '$ld:ai:duration:total']);
    expect(debug()[0]?.message).toContain('no usage');
  });

  it('ends the run as an error when its reader leaves, though the extractor would wait for ever', async () => {
    const { tracker, advance, brief } = openTracker();
    const stream = tracker.trackStreamMetricsOf(
      () => count(3),
      async () => await never,
    );
    for await (const i of stream) {
      advance(5);
      if (i === 2) break;
    }
    await turn();
    expect(brief()).toEqual([
      ['$ld:ai:generation:error', 1],
      ['$ld:ai:duration:total', 10],
    ]);
    expect(Object.hasOwn(stream, Symbol.asyncIterator)).toBe(false);
  });

  it('leaves a stream that was read to its end to the extractor', async () => {
    const { tracker, brief } = openTracker();
    let tell: (metrics: RunMetrics) => void = () => undefined;
    const metrics = new Promise<RunMetrics>((resolve) => {
      tell = resolve;
    });
    const read: number[] = [];
    for await (const i of tracker.trackStreamMetricsOf(
      () => count(3),
      async () => await metrics,
    ))
      read.push(i);
    await turn();
    expect(read).toEqual([1, 2, 3]);
    expect(brief()).toEqual([]);
    tell({ success: true });
    await turn();
    expect(brief()[0]).toEqual(['$ld:ai:generation:success', 1]);
  });

  it('takes the word of an extractor that reads the stream itself and leaves it', async () => {
    const { tracker, brief } = openTracker();
    tracker.trackStreamMetricsOf(
      () => count(3),
      async (stream) => {
        await Promise.resolve();
        for await (const i of stream) if (i === 2) break;
        return { success: true };
      },
    );
    await turn();
    await turn();
    expect(brief()[0]).toEqual(['$ld:ai:generation:success', 1]);
  });

  it('ends the run when its signal says so, also for a stream that cannot be watched', async () => {
    for (const stream of ['S', Object.freeze({ [Symbol.asyncIterator]: () => count(1) })]) {
      const { tracker, brief } = openTracker();
      const stop = new AbortController();
      tracker.trackStreamMetricsOf(
        () => stream,
        async () => await never,
        { signal: stop.signal },
      );
      stop.abort();
      await turn();
      await turn();
      expect(brief().map(([event]) => event)).toEqual(['$ld:ai:generation:error', '$ld:ai:duration:total']);
    }
  });

  it("measures the official client's stream, read to its end and left", async () => {
    const server = createServer((_, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
      const say = (rest: object): boolean => reply.write(`data: ${JSON.stringify({ ...head, ...rest })}\n\n`);
      say({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }] });
      say({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
      say({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5 } });
      reply.end('data: [DONE]\n\n');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const client = new OpenAI({ baseURL, apiKey: 'sk-test' });
    const ask = () =>
      client.chat.completions.stream({
        model: 'm',
        messages: [{ role: 'user', content: 'Hi' }],
        stream_options: { include_usage: true },
      });
    const extract = async (stream: ReturnType<typeof ask>): Promise<RunMetrics> => {
      const { usage } = await stream.finalChatCompletion();
      return {
        success: true,
        tokens: {
          total: usage?.total_tokens ?? 0,
          input: usage?.prompt_tokens ?? 0,
          output: usage?.completion_tokens ?? 0,
        },
      };
    };

    const whole = openTracker();
    let text = '';
    for await (const chunk of whole.tracker.trackStreamMetricsOf(ask, extract))
      text += chunk.choices[0]?.delta.content ?? '';
    await turn();
    expect(text).toBe('Hi');
    expect(whole.tracker.getSummary()).toMatchObject({ success: true, tokens: { total: 5, input: 4, output: 1 } });

    const cut = openTracker();
    for await (const chunk of cut.tracker.trackStreamMetricsOf(ask, extract)) if (chunk.id === 'c') break;
    await turn();
    await turn();
    expect(cut.tracker.getSummary()).toMatchObject({ success: false, durationMs: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
});

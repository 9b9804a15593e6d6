import { describe, expect, it } from 'vitest';
import type { RunnerResult, RunnerUse } from '../../src/configs/runner.js';
import type { JudgeResult } from '../../src/trackers/config-run.js';
import { openConfigLab, user } from '../fixtures/config-lab.js';
import type { LoggedLine, SentEvent } from '../fixtures/run-recorder.js';
import { listVectors, requireVector } from '../fixtures/tracker-vectors.js';

interface Input {
  readonly method: 'createModel' | 'createAgent';
  readonly flags: Record<string, unknown>;
  readonly prompt: string;
  readonly random: number;
  readonly runs: number;
}
interface RunFacts {
  readonly threw?: string;
  readonly content?: string;
  readonly metrics: Record<string, unknown>;
  readonly evaluations: readonly JudgeResult[];
}
type EventFacts = readonly [event: string, value: number, runOrData: string, configKey: string | null, judge?: string];
interface Facts {
  readonly returned?: null;
  readonly runs: readonly RunFacts[];
  readonly events: readonly EventFacts[];
  readonly usage: readonly object[];
  readonly logs: readonly { readonly level: string; readonly topic: string }[];
}

const topics: Readonly<Record<string, RegExp>> = {
  'managed-config-disabled:main': /^There is no model "main": its config is disabled/,
  'managed-config-disabled:j1': /^There is no judge "j1": its config is disabled/,
  'judge-bad-response': /^The judge "j1" gave no score/,
  'judge-runner-failed': /^The judge "j1" failed: judge down/,
};
const wantLines = (logs: Facts['logs']): readonly LoggedLine[] =>
  logs.map(({ level, topic }) => ({
    level: level as LoggedLine['level'],
    message: expect.stringMatching(topics[topic] ?? /^no such topic$/) as string,
  }));

const verdicts: Readonly<Record<string, Record<string, { score: number; reasoning: string }>>> = {
  'managed.model-two-judges': { j1: { score: 0.1, reasoning: 'x' }, j2: { score: 0.2, reasoning: 'x' } },
};

/** The runners of the table: what they did is not in it, but what came of it is. */
function runAs(id: string, { kind, config }: RunnerUse, advance: (ms: number) => void): RunnerResult {
  if (kind === 'judge') {
    if (id === 'managed.model-judge-throws') throw new Error('judge down');
    const parsed =
      id === 'managed.model-judge-parsed-undefined'
        ? undefined
        : (verdicts[id]?.[config.key] ?? { score: 0.75, reasoning: 'fine' });
    return { content: '', metrics: { success: true, tokens: { total: 5, input: 3, output: 2 } }, parsed };
  }
  if (id === 'managed.model-runner-throws') {
    advance(7);
    throw new Error('provider down');
  }
  advance(100);
  if (id === 'managed.model-runner-reports-failure') return { content: 'OUT', metrics: { success: false } };
  return { content: 'OUT', metrics: { success: true, tokens: { total: 10, input: 4, output: 6 }, toolCalls: ['t1'] } };
}

const brief = ({ event, value, data }: SentEvent): EventFacts => {
  if (typeof data === 'string') return [event, value, data, null];
  const { runId, configKey, judgeConfigKey } = data as Record<string, string>;
  const judge = judgeConfigKey === undefined ? [] : [`judge=${judgeConfigKey}`];
  return [event, value, runId ?? '', configKey ?? '', ...(judge as [string?])];
};
/** Runs at the same time have their events in order, each for itself. */
const byRun = (events: readonly EventFacts[]): readonly EventFacts[] =>
  [...events].sort(([, , a], [, , b]) => (a < b ? -1 : a > b ? 1 : 0));

const readToken = (token: unknown): string => Buffer.from(String(token), 'base64url').toString('utf8');

/** A rate of 0 asks nobody, whatever chance says. */
const ours: Readonly<Record<string, Pick<Facts, 'events'> & { evaluations: RunFacts['evaluations'] }>> = {
  'managed.model-judge-rate-zero-random-zero': {
    events: requireVector<Input, Facts>('managed.model-judge-rate-zero-random-zero').expected.events.slice(0, 7),
    evaluations: [{ success: false, sampled: false, judgeConfigKey: 'j1' }],
  },
};

describe('a managed run', () => {
  const vectors = listVectors<Input, Facts>('managed', ['managed.graph.ok', 'managed.graph.unknown-node']);

  it.each(vectors)('$id', async ({ id, input, expected }) => {
    const lab = openConfigLab(input.flags, {
      random: () => input.random,
      makeRunner: (use) => ({ run: async () => await Promise.resolve(runAs(id, use, lab.advance)) }),
    });
    const { client, events, lines } = lab;
    const managed = await client[input.method]('main', user);
    if (expected.returned === null) {
      expect(managed).toBeUndefined();
      expect(events).toEqual(expected.usage.map((event) => ({ ...event, context: user })));
    }
    for (const wanted of expected.runs ?? []) {
      const running = managed?.run(input.prompt);
      if (wanted.threw !== undefined) {
        await expect(running).rejects.toThrow(wanted.threw.replace('Error: ', ''));
        continue;
      }
      const result = await running;
      expect(result?.content).toBe(wanted.content);
      expect({ ...result?.metrics, resumptionToken: readToken(result?.metrics.resumptionToken) }).toEqual(
        wanted.metrics,
      );
      expect(await result?.evaluations).toEqual(ours[id]?.evaluations ?? wanted.evaluations);
    }
    if (expected.events !== undefined) {
      expect(byRun(events.map(brief))).toEqual(byRun(ours[id]?.events ?? expected.events));
    }
    expect(lines).toEqual(wantLines(expected.logs));
  });
});

describe('a judge', () => {
  it('judge.input-format: gets one text, and the schema of what it is to give', async () => {
    interface JudgeFacts {
      readonly runnerInput: string;
      readonly schema: { readonly properties: Record<string, { description: string }> };
      readonly judgeMessagesAfterStrip: readonly object[];
      readonly result: JudgeResult;
      readonly events: readonly (readonly [string, number])[];
    }
    const { expected } = requireVector<string, JudgeFacts>('judge.input-format');
    const flag = {
      _ldMeta: { enabled: true, mode: 'judge' },
      evaluationMetricKey: '$ld:ai:judge:relevance',
      messages: [
        { role: 'system', content: 'judge' },
        { role: 'user', content: '{{message_history}}' },
      ],
    };
    const asked: unknown[] = [];
    const { client, brief: sent } = openConfigLab(
      { j1: flag },
      {
        makeRunner: () => ({
          run: (...given) => {
            asked.push(...given);
            return { content: '', metrics: { success: true }, parsed: { score: 1, reasoning: 'r' } };
          },
        }),
      },
    );
    const judge = await client.createJudge('j1', user);
    const conversation = [
      { role: 'user', content: 'Q1' },
      { role: 'assistant', content: 'A1' },
    ] as const;
    expect(await judge?.evaluateMessages(conversation, 'FINAL')).toEqual(expected.result);
    const { properties, ...schema } = expected.schema;
    const anyText = expect.any(String) as string;
    const described = Object.entries(properties).map(([name, of]) => [name, { ...of, description: anyText }]);
    expect(asked).toEqual([expected.runnerInput, { ...schema, properties: Object.fromEntries(described) as object }]);
    expect(judge?.getConfig().messages).toEqual(expected.judgeMessagesAfterStrip);
    expect(sent()).toEqual(expected.events);
  });
});

import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call-record.js';
import type { OpenSession } from '../../src/core/host.js';
import { ask, makeTunnelAgent, type Reply } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';

const sessionCount = 20;
const callsEach = 10;

let rig: Rig;
beforeEach(async () => {
  rig = await openRig({ bodies: 'full' });
});
afterEach(async () => await rig.close());

/** Numbers that look random and are the same in every run (mulberry32, public domain). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** One call's own name and numbers; no two calls share any. */
interface Mark {
  readonly name: string;
  readonly number: number;
  readonly session: number;
  readonly stream: boolean;
}

const marks: readonly Mark[] = Array.from({ length: sessionCount * callsEach }, (_, number) => {
  const session = number % sessionCount;
  return { number, session, name: `mark-${number}-of-${session}`, stream: number % 3 !== 0 };
});

function makeRequest({ name, stream }: Mark): string {
  return JSON.stringify({ model: name, stream, messages: [{ role: 'user', content: `text of ${name}` }] });
}

const usageOf = ({ number }: Mark) => ({
  prompt_tokens: 1000 + number,
  completion_tokens: 10_000 + number,
  total_tokens: 11_000 + 2 * number,
});

function makeFrames(mark: Mark): string[] {
  const frame = (fields: object) =>
    `data: ${JSON.stringify({ id: `id-${mark.name}`, model: `${mark.name}-dated`, ...fields })}\n\n`;
  const pieces = ['You ', 'are ', mark.name, '.'];
  return [
    ...pieces.map((content) => frame({ choices: [{ index: 0, delta: { content } }] })),
    frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    frame({ choices: [], usage: usageOf(mark) }),
    'data: [DONE]\n\n',
  ];
}

function makeReply(mark: Mark): string {
  const choices = [{ index: 0, message: { role: 'assistant', content: mark.name }, finish_reason: 'stop' }];
  return JSON.stringify({ id: `id-${mark.name}`, model: `${mark.name}-dated`, choices, usage: usageOf(mark) });
}

/** What the client is to get: a stream without the usage it did not ask for. */
function expectReply(mark: Mark, reply: Reply): void {
  const frames = makeFrames(mark).filter((frame) => !frame.includes('"usage"'));
  expect(reply.body.toString()).toBe(mark.stream ? frames.join('') : makeReply(mark));
  expect(reply.complete).toBe(true);
}

function expectRecord(mark: Mark, record: CallRecord | undefined, sessions: readonly OpenSession[]): void {
  const session = sessions[mark.session]?.session;
  expect(record).toMatchObject({
    sessionId: session?.sessionId,
    runId: session?.runId,
    dataId: `data-${mark.session}`,
    agentId: `agent-${mark.session}`,
    requestedModel: mark.name,
    model: `${mark.name}-dated`,
    stream: mark.stream,
    outcome: 'ok',
    responseId: `id-${mark.name}`,
    requestId: `request-${mark.name}`,
    usage: { inputTokens: 1000 + mark.number, outputTokens: 10_000 + mark.number },
    requestBody: JSON.parse(makeRequest(mark)),
  });
  const body = JSON.stringify(record?.responseBody);
  expect(body).toContain(mark.name);
  expect([...body.matchAll(/mark-\d+-of-\d+/g)].every(([name]) => name === mark.name)).toBe(true);
}

interface Arrived {
  readonly mark: Mark;
  readonly response: ServerResponse;
}

/** Holds every request until `count` have come, then answers all of them through each other. */
function answerTogether(count: number, answer: (arrived: readonly Arrived[]) => void): void {
  let arrived: Arrived[] = [];
  rig.upstream.handler = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { model } = JSON.parse(Buffer.concat(chunks).toString());
      const mark = marks.find(({ name }) => name === model);
      if (mark === undefined) return void response.writeHead(400).end();
      const type = mark.stream ? 'text/event-stream' : 'application/json';
      response.writeHead(200, { 'content-type': type, 'x-request-id': `request-${mark.name}` });
      response.flushHeaders();
      arrived.push({ mark, response });
      if (arrived.length < count) return;
      const together = arrived;
      arrived = [];
      answer(together);
    });
  };
}

/** Writes the pieces of all replies in one order that jumps between them. */
function writeMixed(arrived: readonly Arrived[], random: () => number): void {
  const left = arrived.map(({ mark, response }) => ({
    response,
    pieces: mark.stream
      ? makeFrames(mark)
      : (makeReply(mark)
          .match(/.{1,40}/gs)
          ?.slice() ?? []),
  }));
  const turn = (): void => {
    for (const one of shuffle(left, random).slice(0, 40)) {
      const piece = one.pieces.shift();
      if (piece !== undefined) one.response.write(piece);
      if (one.pieces.length > 0 || one.response.writableEnded) continue;
      one.response.end();
      left.splice(left.indexOf(one), 1);
    }
    if (left.length > 0) setImmediate(turn);
  };
  turn();
}

async function openSessions(): Promise<OpenSession[]> {
  return await Promise.all(
    Array.from({ length: sessionCount }, (_, i) => rig.openSession({ dataId: `data-${i}`, agentId: `agent-${i}` })),
  );
}

describe('two hundred calls of twenty sessions', () => {
  it('all under way at once, ending in no order, keep what is theirs', async () => {
    const random = makeRandom(1);
    const sessions = await openSessions();
    answerTogether(marks.length, (arrived) => writeMixed(arrived, random));
    const replies = await Promise.all(
      shuffle(marks, random).map(async (mark) => {
        const port = sessions[mark.session]?.port ?? 0;
        return { mark, reply: await ask({ port, ca: rig.ca, body: makeRequest(mark) }) };
      }),
    );
    const records = await rig.waitForRecords(marks.length);
    expect(records).toHaveLength(marks.length);
    for (const { mark, reply } of replies) expectReply(mark, reply);
    for (const mark of marks) {
      expectRecord(
        mark,
        records.find(({ requestedModel }) => requestedModel === mark.name),
        sessions,
      );
    }
    expect(new Set(records.map(({ callId }) => callId)).size).toBe(marks.length);
    expect(sessions.map((session) => session.counts().calls)).toEqual(Array(sessionCount).fill(callsEach));
  });

  it('keep what is theirs over connections to the provider that the sessions share', async () => {
    const random = makeRandom(2);
    const sessions = await openSessions();
    const agents = sessions.map((session) => makeTunnelAgent(session.port, rig.ca));
    const together = 25;
    answerTogether(together, (arrived) => writeMixed(shuffle(arrived, random), random));
    const order = shuffle(marks, random);
    for (let from = 0; from < order.length; from += together) {
      const wave = order.slice(from, from + together);
      await Promise.all(
        wave.map(async (mark) => {
          const agent = agents[mark.session];
          const port = sessions[mark.session]?.port ?? 0;
          expectReply(mark, await ask({ port, ca: rig.ca, body: makeRequest(mark), ...(agent && { agent }) }));
        }),
      );
    }
    for (const agent of agents) agent.destroy();
    expect(rig.upstream.connections).toBeLessThan(marks.length / 2);
    const records = await rig.waitForRecords(marks.length);
    for (const mark of marks) {
      expectRecord(
        mark,
        records.find(({ requestedModel }) => requestedModel === mark.name),
        sessions,
      );
    }
  });
});

it('a hundred streams at once each get every frame as it is sent, and nobody else’s', async () => {
  const streams = marks.filter(({ stream }) => stream).slice(0, 100);
  const sessions = await openSessions();
  const got = new Map<string, string>();
  let onChunk: () => void = () => undefined;
  const settled = async (isDone: () => boolean): Promise<void> => {
    await new Promise<void>((resolve) => {
      onChunk = () => isDone() && resolve();
      onChunk();
    });
  };
  const sendInRounds = async (arrived: readonly Arrived[]): Promise<void> => {
    const rounds = makeFrames(streams[0] as Mark).length;
    for (let round = 0; round < rounds; round++) {
      for (const { mark, response } of arrived) response.write(makeFrames(mark)[round]);
      const wanted = (mark: Mark): number =>
        makeFrames(mark)
          .slice(0, round + 1)
          .filter((frame) => !frame.includes('"usage"'))
          .join('').length;
      // Nobody is sent the next frame before everybody has this one.
      await settled(() => arrived.every(({ mark }) => (got.get(mark.name)?.length ?? 0) === wanted(mark)));
    }
    for (const { response } of arrived) response.end();
  };
  answerTogether(streams.length, (arrived) => void sendInRounds(arrived));
  await Promise.all(
    streams.map(async (mark) => {
      const reply = await ask({
        port: sessions[mark.session]?.port ?? 0,
        ca: rig.ca,
        body: makeRequest(mark),
        onChunk: (chunk) => {
          got.set(mark.name, (got.get(mark.name) ?? '') + chunk.toString());
          onChunk();
        },
      });
      expectReply(mark, reply);
    }),
  );
  const records = await rig.waitForRecords(streams.length);
  for (const mark of streams) {
    expectRecord(
      mark,
      records.find(({ requestedModel }) => requestedModel === mark.name),
      sessions,
    );
  }
});

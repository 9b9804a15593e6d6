import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { findDifferences } from '../../examples/demo/compare.js';
import { Refusal } from '../../examples/provider/behaviour.js';
import type { Answer, Ask, SeenRequest } from '../../examples/provider/provider.js';
import type { CallRecord } from '../../src/core/call-record.js';
import { hasProgram } from '../activation/tunnel-lab.js';
import type { ExpectedCall, Way } from './agent.js';
import { agents } from './agents.js';
import { installAgent } from './install.js';
import { openStage, type Run, type Stage, type StageOptions } from './stage.js';
import { formatTable, type Row } from './table.js';

const word = 'The word is “wörd ☺”, as asked.';
const small = 'three small words';
const rows: Row[] = [];

afterAll(() => console.log(`\n${formatTable(rows)}\n`));

describe.each(agents.map((agent) => [`${agent.name} ${agent.version}`, agent] as const))('%s', (_name, agent) => {
  let folder: string | null = null;
  let reason = '';
  beforeAll(async () => {
    try {
      folder = await installAgent(agent);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  });
  describe.each(agent.ways.map((way) => [way.title, way] as const))('%s', (_title, way) => {
    const row: Row = { agent, way, skipped: null, direct: null, tapped: null, hasShell: false, broken: [] };
    let direct: Run;
    let tapped: Run;

    beforeAll(async () => {
      rows.push(row);
      if (folder === null) {
        row.skipped = `not installed: ${reason}`;
        return;
      }
      await onStage({ agent, way, folder, answer: (ask) => say(way.answerAside?.(ask) ?? word) }, async (stage) => {
        // What does not work by itself says nothing of the tap.
        try {
          direct = await stage.runDirect();
        } catch (error) {
          row.skipped = `does not run here: ${readFirstLine(String(error))}`;
          return;
        }
        row.direct = direct;
        if (direct.ended.status !== 0) row.skipped = `does not run here: ${readFirstLine(readSaid(direct))}`;
        if (row.skipped !== null) return;
        tapped = await stage.runTapped();
        row.tapped = tapped;
      });
    });

    /** A test of what the tap did; skipped with the reason where the agent could not be tried. */
    const holdsWhere = (isTried: boolean, title: string, check: (folder: string) => Promise<void> | void): void =>
      it.skipIf(!isTried)(title, async (context: TestContext) => {
        if (row.skipped !== null || folder === null) return context.skip(row.skipped ?? reason);
        try {
          await check(folder);
        } catch (error) {
          row.broken.push(title);
          throw error;
        }
      });
    const holds = (title: string, check: (folder: string) => Promise<void> | void): void =>
      holdsWhere(true, title, check);

    holds('says what it says without the tap, and ends as it ends', () => {
      expect(direct.ended.stdout).toContain(word);
      expect(tapped.ended.stdout).toBe(direct.ended.stdout);
      expect([tapped.ended.status, tapped.ended.signal]).toEqual([0, null]);
    });

    holds('asks its provider what it asks without the tap, in the same words', () => {
      expect(tapped.calls.map(describeRequest).sort()).toEqual(direct.calls.map(describeRequest).sort());
      expect(tapped.messages.map(({ api }) => api)).toEqual(direct.messages.map(({ api }) => api));
    });

    holds('has each call on record once, with the numbers that were billed, and nothing else', () => {
      expect(findDifferences([...tapped.calls, ...tapped.messages], tapped.records)).toEqual([]);
    });

    holds('is told of as it was: so many calls, no error, no fault', () => {
      const { calls, errors, faults, exitCode } = tapped.summary ?? {};
      expect({ calls, errors, faults, exitCode }).toEqual({
        calls: way.calls.length,
        errors: 0,
        faults: [],
        exitCode: 0,
      });
    });

    holds('has them on record as what they are', () => {
      const expected = [...way.calls].sort(byModel);
      const found = [...tapped.records].sort(byModel);
      expect(found.map((record, at) => pickSeen(record, expected[at]?.session ?? []))).toEqual(
        expected.map(makeExpected),
      );
      for (const { stream, timeToFirstTokenMs } of tapped.records) expect(timeToFirstTokenMs !== null).toBe(stream);
    });

    holds('has its bytes unaltered, compressed ones too', () => {
      for (const { receipt, changes } of tapped.records) {
        expect(changes).toEqual([]);
        expect(receipt?.requestToProvider).toBe(receipt?.requestFromClient);
        expect(receipt?.replyToClient).toBe(receipt?.replyFromProvider);
        expect(receipt?.requestFromClient).toMatch(/^[0-9a-f]{64}$/);
      }
      const isOverHttp = way.calls.every(({ protocol }) => protocol !== 'websocket');
      const codings = tapped.calls.map(({ headers }) => headers['content-encoding']);
      expect(codings).toEqual(isOverHttp ? way.calls.map(({ coding }) => coding) : []);
    });

    holds('has what each call cost, or why nobody knows', () => {
      for (const { cost } of tapped.records) expect(cost.usd === null).toBe(cost.problem !== null);
    });

    holds('ends as it ends without the tap when it is refused, and leaves the refusal on record', async (folder) => {
      const refuse = (): never => {
        throw new Refusal(400, 'This word is not to be said.');
      };
      await onStage({ agent, way, folder, answer: refuse }, async (refusing) => {
        const alone = await refusing.runDirect();
        const seen = await refusing.runTapped();
        expect(seen.ended.status).toBe(alone.ended.status);
        expect(seen.ended.stdout).toBe(alone.ended.stdout);
        expect(seen.records.length).toBeGreaterThan(0);
        for (const { error, usage } of seen.records) {
          expect(error?.message).toContain('This word is not to be said.');
          expect(usage.outputTokens).toBeNull();
        }
      });
    });

    holdsWhere(way.shell !== undefined, 'asks an overloaded provider again, each try on record', async (folder) => {
      let left = 0;
      const answer = (ask: Ask): Answer => {
        if (ask.tool !== null && left-- > 0) throw new Refusal(503, 'The model is overloaded.');
        return say(way.answerAside?.(ask) ?? word);
      };
      await onStage({ agent, way, folder, answer }, async (overloaded) => {
        left = 1;
        const alone = await overloaded.runDirect();
        left = 1;
        const seen = await overloaded.runTapped();
        expect(seen.ended.stdout).toBe(alone.ended.stdout);
        expect(seen.ended.status).toBe(alone.ended.status);
        expect(seen.calls.map(readStatus).sort()).toEqual(alone.calls.map(readStatus).sort());
        const refused = seen.records.filter(({ error }) => error !== null);
        expect(refused).toMatchObject([{ usage: { inputTokens: null, outputTokens: null } }]);
        expect(refused[0]?.error?.message).toContain('The model is overloaded.');
        const served = seen.records.filter(({ error }) => error === null);
        expect(findDifferences([...seen.calls, ...seen.messages], served)).toEqual([]);
      });
    });

    const hasShell = way.shell !== undefined && hasProgram('curl');
    holdsWhere(hasShell, 'has what its shell asks by curl on record, in the same run', async (folder) => {
      await onStage({ agent, way, folder, answer: (ask) => sayByShell(way, ask) }, async (shelled) => {
        const { ended, records, calls, messages } = await shelled.runTapped(way.shell?.args);
        expect(ended.stdout).toContain('The shell has answered.');
        expect(findDifferences([...calls, ...messages], records)).toEqual([]);
        expect(records.flatMap(({ toolCalls }) => toolCalls)).toEqual([way.shell?.tool]);
        const asked = records.filter(({ requestedModel }) => requestedModel === 'words-3');
        expect(asked).toMatchObject([{ provider: 'openai', api: 'chat.completions', stream: false, outcome: 'ok' }]);
        row.hasShell = true;
      });
    });
  });
});

function say(text: string): Answer {
  return { thought: '', text, toolCall: null };
}

/** Where tools are offered a call of the shell, which asks a model by curl; then what came of it. */
function sayByShell(way: Way, ask: Ask): Answer {
  if (ask.model === 'words-3') return say(small);
  if (ask.toolResult !== null) {
    return say(ask.toolResult.includes(small) ? 'The shell has answered.' : `The shell failed: ${ask.toolResult}`);
  }
  if (ask.tool === null || way.shell === undefined) return say(way.answerAside?.(ask) ?? word);
  const body = JSON.stringify({ model: 'words-3', messages: [{ role: 'user', content: 'Three.' }] });
  const head = "-H 'content-type: application/json' -H 'authorization: Bearer sk-example'";
  const command = `curl -sS --max-time 20 ${head} -d '${body}' https://api.openai.com/v1/chat/completions`;
  return { thought: '', text: '', toolCall: { name: way.shell.tool, input: way.shell.input(command) } };
}

function readSaid({ ended }: Run): string {
  return `${ended.stderr}\n${ended.stdout}`.trim() || `it ended with ${ended.status} and no word`;
}

function readFirstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

async function onStage(options: StageOptions, use: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage(options);
  try {
    await use(stage);
  } finally {
    await stage.close();
  }
}

/** Headers whose place is the connection's own: see the README, "What it changes". */
const moved = new Set(['host', 'content-length', 'connection']);

/** How a request was made: HTTP's version, place, and headers in their order and case. */
function describeRequest({ httpVersion, method, path, rawHeaders }: SeenRequest): string {
  const names = rawHeaders.filter((name, at) => at % 2 === 0 && !moved.has(name.toLowerCase()));
  return `${method} ${path} HTTP/${httpVersion} ${names.join(' ')}`;
}

function readStatus({ status }: SeenRequest): string {
  return String(status);
}

function pickSeen(record: CallRecord, session: readonly string[]) {
  const { provider, api, protocol, stream, requestedModel, finishReasons, outcome, error, partial, toolCalls } = record;
  const names = Object.keys(record.wireSession ?? {});
  const missing = session.filter((name) => !names.includes(name));
  const facts = { provider, api, protocol, stream, requestedModel, finishReasons };
  return { ...facts, outcome, error, partial, toolCalls, missing };
}

function makeExpected({ session: _session, coding: _coding, ...call }: ExpectedCall) {
  return { ...call, outcome: 'ok', error: null, partial: false, toolCalls: [], missing: [] };
}

type Asked = Pick<CallRecord, 'requestedModel'>;

/** Two calls at once come in any order. */
function byModel(a: Asked, b: Asked): number {
  return (a.requestedModel ?? '').localeCompare(b.requestedModel ?? '');
}

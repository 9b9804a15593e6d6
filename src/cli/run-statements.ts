import type { ConfigTracker } from '../trackers/config-tracker.js';
import type { GraphTracker } from '../trackers/graph-tracker.js';
import { makeInvalid } from './read-flags.js';

type Say<Tracker> = (tracker: Tracker, values: readonly string[]) => void;

/** A statement: how many values it takes, and what it tells the tracker. */
interface Statement<Tracker> {
  readonly takes: string;
  readonly least: number;
  readonly most: number;
  readonly say: Say<Tracker>;
}

function statement<Tracker>(takes: string, [least, most]: readonly [number, number], say: Say<Tracker>) {
  return { takes, least, most, say };
}

const none = [0, 0] as const;
const one = [1, 1] as const;
const two = [2, 2] as const;
const many = [1, 10_000] as const;

const ofConfigs: Readonly<Record<string, Statement<ConfigTracker>>> = {
  success: statement('nothing', none, (tracker) => tracker.trackSuccess()),
  error: statement('nothing', none, (tracker) => tracker.trackError()),
  duration: statement('MS', one, (tracker, [ms]) => tracker.trackDuration(readNumber(ms, 'duration'))),
  ttf: statement('MS', one, (tracker, [ms]) => tracker.trackTimeToFirstToken(readNumber(ms, 'ttf'))),
  tokens: statement('INPUT OUTPUT [TOTAL]', [2, 3], (tracker, values) => tracker.trackTokens(readTokens(values))),
  tool: statement('NAME…', many, (tracker, names) => tracker.trackToolCalls(names)),
  feedback: statement('positive or negative', one, (tracker, [kind = '']) => {
    if (kind !== 'positive' && kind !== 'negative') {
      throw makeInvalid('feedback', kind, 'is neither', 'Say positive or negative.');
    }
    tracker.trackFeedback({ kind });
  }),
  judge: statement('METRIC SCORE [JUDGE]', [2, 3], (tracker, [metricKey, score, judgeConfigKey]) => {
    const value = readNumber(score, 'judge');
    if (value > 1) throw makeInvalid('judge', String(score), 'is no score', 'Give a number from 0 to 1.');
    tracker.trackJudgeResult({ sampled: true, success: true, metricKey, score: value, judgeConfigKey });
  }),
};

const ofGraphs: Readonly<Record<string, Statement<GraphTracker>>> = {
  success: statement('nothing', none, (tracker) => tracker.trackInvocationSuccess()),
  failure: statement('nothing', none, (tracker) => tracker.trackInvocationFailure()),
  duration: statement('MS', one, (tracker, [ms]) => tracker.trackDuration(readNumber(ms, 'duration'))),
  tokens: statement('INPUT OUTPUT [TOTAL]', [2, 3], (tracker, values) => tracker.trackTotalTokens(readTokens(values))),
  path: statement('NODE…', many, (tracker, nodes) => tracker.trackPath(nodes)),
  redirect: statement('FROM TO', two, (tracker, [from = '', to = '']) => tracker.trackRedirect(from, to)),
  handoff: statement('FROM TO', two, (tracker, [from = '', to = '']) => tracker.trackHandoffSuccess(from, to)),
  'handoff-failure': statement('FROM TO', two, (tracker, [from = '', to = '']) =>
    tracker.trackHandoffFailure(from, to),
  ),
};

export const statementNames: readonly string[] = [...new Set([...Object.keys(ofConfigs), ...Object.keys(ofGraphs)])];

/** Tells a config's tracker. Throws `OPTION_INVALID`. */
export function sayOfConfig(tracker: ConfigTracker, what: string, values: readonly string[]): void {
  requireStatement(ofConfigs, { what, values, kind: 'config' }).say(tracker, values);
}

/** Tells a graph's tracker. Throws `OPTION_INVALID`. */
export function sayOfGraph(tracker: GraphTracker, what: string, values: readonly string[]): void {
  requireStatement(ofGraphs, { what, values, kind: 'graph' }).say(tracker, values);
}

function requireStatement<Tracker>(
  table: Readonly<Record<string, Statement<Tracker>>>,
  { what, values, kind }: { readonly what: string; readonly values: readonly string[]; readonly kind: string },
): Statement<Tracker> {
  const found = Object.hasOwn(table, what) ? table[what] : undefined;
  if (found === undefined) {
    const hint = `Of such a run there are ${Object.keys(table).join(', ')}.`;
    throw makeInvalid('what is said', what, `cannot be said of the run of a ${kind}`, hint);
  }
  if (values.length < found.least || values.length > found.most) {
    throw makeInvalid(what, values.join(' '), 'is not what it takes', `It takes ${found.takes}.`);
  }
  if (values.some((value) => value.trim() === '')) {
    throw makeInvalid(what, values.join(' '), 'has a value that is empty', `It takes ${found.takes}.`);
  }
  return found;
}

function readNumber(value: string | undefined, what: string): number {
  if (value !== undefined && /^\d{1,15}(\.\d{1,15})?$/.test(value)) return Number(value);
  throw makeInvalid(what, value ?? '', 'is no number', `Write it in digits, as in ${what} 1.5.`);
}

function readTokens([input, output, total]: readonly string[]) {
  const counts = { input: readNumber(input, 'tokens'), output: readNumber(output, 'tokens') };
  const sum = total === undefined ? counts.input + counts.output : readNumber(total, 'tokens');
  if (sum + counts.input + counts.output === 0) {
    throw makeInvalid('tokens', '0', 'says nothing', 'Say it of a run that took any.');
  }
  return { ...counts, total: sum };
}

import { resolve } from 'node:path';
import { TrackerError } from '../core/errors.js';
import type { ExporterPlan } from '../core/exporting.js';
import type { LedgerSink } from '../core/host.js';
import { isObject } from '../core/option-checks.js';
import { useLedger } from './context.js';
import { openHome } from './home.js';
import type { CliIo } from './io.js';
import { sayOfConfig, sayOfGraph } from './run-statements.js';
import type { TokenFlags } from './token-flags.js';

export interface Saying {
  readonly token: string;
  readonly what: string;
  readonly values: readonly string[];
  readonly flags: TokenFlags;
}

/** Each command has a tracker of its own: over trackers the ledger alone holds that a fact is said once. */
const usualDedupe = 'run';

/** Opens a tracker of the run that a token names, and tells it; in the context given. */
type OpenTracker = (sink: LedgerSink, context: object) => void;

/**
 * Says something of the run a token names, into the ledger and where else it is to go. Throws `TOKEN_INVALID`,
 * `OPTION_INVALID`, `EVENT_REFUSED` when the run has that fact already, and what keeps it from being written.
 */
export async function sayOfRun(saying: Saying, io: CliIo): Promise<void> {
  const { runId, key, say } = await readToken(saying);
  const home = await openHome(io.env);
  const { openEventSink } = await import('../host/event-sink.js');
  const context = saying.flags.user === undefined ? await findContext(runId, key, io) : makeUser(saying.flags.user);
  const sink = await openEventSink({ home, env: io.env, exporters: planExporters(saying.flags, io.env) });
  let said = 0;
  let problem: TrackerError | null = null;
  sink.onEvent((event) => {
    if (event.type === 'run.tracked') said += 1;
    if (event.type !== 'fault.occurred') return;
    const { code, message, hint } = event.fault;
    problem ??= new TrackerError(code, message, hint === null ? {} : { hint });
  });
  try {
    say(sink, context);
  } finally {
    await sink.close();
  }
  if (problem !== null) throw problem as TrackerError;
  if (said > 0) return;
  throw new TrackerError('EVENT_REFUSED', `Could not say "${saying.what}" of run ${runId}: it has that fact already.`, {
    hint: `See llmtap events --run ${runId}.`,
  });
}

async function readToken({ token, what, values, flags }: Saying) {
  const { dedupe = usualDedupe } = flags;
  const [{ parseConfigToken, parseGraphToken, readConfigToken }, { ConfigTracker }, { GraphTracker }] =
    await Promise.all([
      import('../trackers/resumption-token.js'),
      import('../trackers/config-tracker.js'),
      import('../trackers/graph-tracker.js'),
    ]);
  const graph = parseGraphToken(token);
  if (graph.ok) {
    const say: OpenTracker = (sink, context) =>
      sayOfGraph(GraphTracker.fromResumptionToken(token, { sink, context, dedupe }), what, values);
    return { runId: graph.value.runId, key: graph.value.graphKey, say };
  }
  const config = parseConfigToken(token);
  const { runId, configKey } = config.ok ? config.value : readConfigToken(token);
  const say: OpenTracker = (sink, context) =>
    sayOfConfig(ConfigTracker.fromResumptionToken(token, { sink, context, dedupe }), what, values);
  return { runId, key: configKey, say };
}

/** As the newest event of the run has it; a feedback is the user's whose run it was. */
async function findContext(runId: string, key: string, io: CliIo): Promise<object> {
  return await useLedger(io, (ledger) => {
    const [last] = ledger.listEvents({ runId, afterSeq: ledger.findLastEvents({ runId }, 1) });
    const context: unknown = last?.context;
    return isObject(context) ? (context as object) : { kind: 'llmtap', key, anonymous: true };
  });
}

function makeUser(key: string): object {
  return { kind: 'user', key };
}

function planExporters(
  { events, otlp }: TokenFlags,
  env: Readonly<Record<string, string | undefined>>,
): readonly ExporterPlan[] {
  const path = events ?? (env.LLMTAP_EVENTS || undefined);
  const url = otlp ?? (env.LLMTAP_OTLP || undefined);
  return [
    ...(path === undefined ? [] : [{ kind: 'jsonl', path: resolve(path) } as const]),
    ...(url === undefined ? [] : [{ kind: 'otlp', ...(url !== true && { url }) } as const]),
  ];
}

import type { CallRecord } from '../../core/call-record.js';
import { systemClock } from '../../core/clock.js';
import type { TrackerEvent } from '../../core/events.js';
import type { Exporter, Prepared } from '../../core/exporting.js';
import { placeSession, type SpanPlace, standUnder } from '../../core/trace-ids.js';
import {
  type Attributes,
  copyAttributes,
  countChars,
  describeIds,
  describeSpan,
  nameError,
  nameSpan,
} from './call-attributes.js';
import { describeContent } from './describe-content.js';
import { exportOnce } from './export-once.js';
import { OpenedOnUse } from './opened-on-use.js';
import { placeCall } from './place-call.js';
import { loadSdk, type OtelSdk } from './sdk.js';
import { findSchemaUrl, findUrl, makeResource, nameSignal, type SignalOptions, toHrTime } from './signal.js';

/** One span to be. */
export interface SpanPlan extends SpanPlace {
  readonly name: string;
  readonly isCall: boolean;
  readonly parentSpanId: string | null;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** What went wrong, as a sentence; `null` when nothing. */
  readonly problem: string | null;
  /** Where the session stands, for a call that the agent put into a trace of its own. */
  readonly session: SpanPlace | null;
}

type SessionClosed = Extract<TrackerEvent, { type: 'session.closed' }>;

/** A span's memory, about: names, ids, numbers. */
const spanBytes = 3000;

/** Calls become spans of what a client asked, below the span of their session, or the agent's own by its `traceparent`. */
export class TracesExporter implements Exporter<SpanPlan> {
  readonly name: string;
  readonly #options: SignalOptions;
  readonly #pipeline: OpenedOnUse<Pipeline>;

  constructor(options: SignalOptions) {
    this.#options = options;
    this.name = nameSignal(options.plan, 'traces');
    this.#pipeline = new OpenedOnUse(() => openPipeline(options));
  }

  prepare(event: TrackerEvent): Prepared<SpanPlan> | null {
    if (event.type === 'call.completed') return this.#prepareCall(event.record);
    if (event.type === 'session.closed') return { item: planSession(event, this.#options), bytes: spanBytes };
    return null;
  }

  #prepareCall(record: CallRecord): Prepared<SpanPlan> {
    const { plan, content } = this.#options;
    const said = content.spans ? describeContent(record, plan.profile ?? 'latest') : {};
    return { item: planCall(record, this.#options, said), bytes: spanBytes + countChars(said) };
  }

  async send(items: readonly SpanPlan[]): Promise<void> {
    const pipeline = await this.#pipeline.get();
    await pipeline.send(items);
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }
}

interface Pipeline {
  send(items: readonly SpanPlan[]): Promise<void>;
  close(): Promise<void>;
}

async function openPipeline({ plan, headers }: SignalOptions): Promise<Pipeline> {
  const sdk = await loadSdk();
  const { BasicTracerProvider, AlwaysOnSampler } = sdk.trace;
  const exporter = new sdk.OtlpTraces({ ...findUrl(plan, 'traces'), ...(headers && { headers: { ...headers } }) });
  const ended: Parameters<typeof exporter.export>[0] = [];
  const next = { traceId: '', spanId: '' };
  const provider = new BasicTracerProvider({
    resource: makeResource(sdk),
    // Which calls are seen is not decided here: what reached the tap is told.
    sampler: new AlwaysOnSampler(),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: [
      {
        onStart: () => undefined,
        onEnd: (span) => void ended.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  const tracer = provider.getTracer('llmtap', undefined, { schemaUrl: findSchemaUrl(plan) });
  return {
    send: (items) => {
      ended.length = 0;
      for (const item of items) {
        Object.assign(next, { traceId: item.traceId, spanId: item.spanId });
        makeSpan(sdk, tracer, item);
      }
      return exportOnce(exporter, ended.slice());
    },
    close: () => exporter.shutdown(),
  };
}

type Tracer = ReturnType<InstanceType<OtelSdk['trace']['BasicTracerProvider']>['getTracer']>;

function makeSpan({ api }: OtelSdk, tracer: Tracer, plan: SpanPlan): void {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = api;
  const { traceId, parentSpanId, session } = plan;
  const place = (spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  const context = parentSpanId === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, place(parentSpanId));
  const span = tracer.startSpan(
    plan.name,
    {
      kind: plan.isCall ? SpanKind.CLIENT : SpanKind.INTERNAL,
      startTime: toHrTime(plan.startMs),
      attributes: copyAttributes(plan.attributes),
      links: session === null ? [] : [{ context: { ...session, traceFlags: TraceFlags.SAMPLED } }],
    },
    context,
  );
  if (plan.problem !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: plan.problem });
  span.end(toHrTime(plan.endMs));
}

function planCall(record: CallRecord, { plan, parent }: SignalOptions, said: Attributes): SpanPlan {
  const startMs = Date.parse(record.startedAt);
  return {
    ...placeCall(record, parent),
    name: nameSpan(record),
    isCall: true,
    startMs,
    endMs: startMs + record.latencyMs,
    attributes: { ...describeSpan(record, plan.profile ?? 'latest'), ...said },
    problem: nameError(record) === null ? null : (record.error?.message ?? `status ${record.status}`),
  };
}

function planSession({ session, outcome }: SessionClosed, { parent }: SignalOptions): SpanPlan {
  const { configKey, agentId } = session;
  const isAgent = agentId !== null;
  const name = isAgent ? `invoke_agent ${agentId}` : `llmtap.session${configKey === null ? '' : ` ${configKey}`}`;
  return {
    ...standUnder(parent, placeSession(session)),
    name,
    isCall: false,
    parentSpanId: parent?.spanId ?? null,
    startMs: Date.parse(session.openedAt),
    endMs: systemClock.nowMs(),
    attributes: {
      ...describeIds(session),
      ...(isAgent && { 'gen_ai.operation.name': 'invoke_agent' }),
      ...(outcome !== null && { 'llmtap.run.outcome': outcome }),
    },
    problem: outcome === 'error' || outcome === 'aborted' ? `the run ended as ${outcome}` : null,
    session: null,
  };
}

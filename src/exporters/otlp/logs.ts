import type { CallRecord, JsonValue } from '../../core/call-record.js';
import type { Fault, TrackerEvent } from '../../core/events.js';
import type { Exporter, Prepared } from '../../core/exporting.js';
import type { RunEvent } from '../../core/run-events.js';
import { placeSession, type SpanPlace, standUnder } from '../../core/trace-ids.js';
import { type Attributes, countChars, describeCall, describeIds, describeSpan, nameError } from './call-attributes.js';
import { structureContent } from './describe-content.js';
import { exportOnce } from './export-once.js';
import { listMessageEvents } from './message-events.js';
import { nameSystem } from './names.js';
import { OpenedOnUse } from './opened-on-use.js';
import { placeCall } from './place-call.js';
import { type LogAttributes, type LogValue, loadSdk, type OtelSdk } from './sdk.js';
import { findSchemaUrl, findUrl, makeResource, nameSignal, type SignalOptions, toHrTime } from './signal.js';

/** One log record to be. */
export interface LogPlan {
  readonly eventName: string;
  readonly isWarning: boolean;
  readonly body: JsonValue;
  readonly attributes: Readonly<Record<string, JsonValue>>;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly place: SpanPlace | null;
}

/** Faults, failed calls and events of runs become log records; with content opted in, every call, with what was said. */
export class LogsExporter implements Exporter<readonly LogPlan[]> {
  readonly name: string;
  readonly #options: SignalOptions;
  readonly #pipeline: OpenedOnUse<Pipeline>;

  constructor(options: SignalOptions) {
    this.#options = options;
    this.name = nameSignal(options.plan, 'logs');
    this.#pipeline = new OpenedOnUse(() => openPipeline(options));
  }

  prepare(event: TrackerEvent): Prepared<readonly LogPlan[]> | null {
    const item = this.#plan(event);
    if (item.length === 0) return null;
    return {
      item,
      bytes: 1000 * item.length + countChars(item.map(({ attributes, body }) => ({ attributes, body }))),
    };
  }

  #plan(event: TrackerEvent): readonly LogPlan[] {
    if (event.type === 'fault.occurred') return [planFault(event.fault)];
    if (event.type === 'run.tracked') return [planRunEvent(event.event, this.#options)];
    if (event.type !== 'call.completed') return [];
    const { content } = this.#options;
    const problem = nameError(event.record);
    return [
      ...(problem === null ? [] : [planException(event.record, problem, this.#options)]),
      ...(content.events ? planContent(event.record, this.#options) : []),
    ];
  }

  async send(items: readonly (readonly LogPlan[])[]): Promise<void> {
    const pipeline = await this.#pipeline.get();
    await pipeline.send(items.flat());
  }

  close(): Promise<void> {
    return this.#pipeline.close();
  }
}

interface Pipeline {
  send(items: readonly LogPlan[]): Promise<void>;
  close(): Promise<void>;
}

async function openPipeline({ plan }: SignalOptions): Promise<Pipeline> {
  const sdk = await loadSdk();
  const exporter = new sdk.OtlpLogs(findUrl(plan, 'logs'));
  const emitted: Parameters<typeof exporter.export>[0] = [];
  const provider = new sdk.logs.LoggerProvider({
    resource: makeResource(sdk),
    processors: [
      {
        onEmit: (record) => void emitted.push(record),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
  const logger = provider.getLogger('llmtap', undefined, { schemaUrl: findSchemaUrl(plan) });
  return {
    send: (items) => {
      emitted.length = 0;
      for (const item of items) logger.emit(makeRecord(sdk, item));
      return exportOnce(exporter, emitted.slice());
    },
    close: () => exporter.shutdown(),
  };
}

function makeRecord({ api, apiLogs }: OtelSdk, plan: LogPlan) {
  const { ROOT_CONTEXT, TraceFlags, trace } = api;
  const { SeverityNumber } = apiLogs;
  const { place, body } = plan;
  return {
    eventName: plan.eventName,
    timestamp: toHrTime(plan.atMs),
    severityNumber: plan.isWarning ? SeverityNumber.WARN : SeverityNumber.INFO,
    severityText: plan.isWarning ? 'WARN' : 'INFO',
    attributes: plan.attributes as LogAttributes,
    ...(body !== null && { body: body as LogValue }),
    ...(place !== null && {
      context: trace.setSpanContext(ROOT_CONTEXT, { ...place, traceFlags: TraceFlags.SAMPLED }),
    }),
  };
}

function planFault({ code, message, hint, sessionId, at }: Fault): LogPlan {
  return {
    ...{ eventName: 'llmtap.fault', isWarning: true, body: message, atMs: Date.parse(at), place: null },
    attributes: {
      'llmtap.fault.code': code,
      ...(hint !== null && { 'llmtap.fault.hint': hint }),
      ...(sessionId !== null && { 'llmtap.session.id': sessionId }),
    },
  };
}

/** By its own name, in the trace of its run. The context is left out: it may hold who somebody is. */
function planRunEvent(event: RunEvent, { parent }: SignalOptions): LogPlan {
  const { runId, sessionId } = event;
  const place = runId === null || sessionId === null ? null : standUnder(parent, placeSession({ runId, sessionId }));
  return {
    ...{ eventName: event.name, isWarning: false, body: null, atMs: Date.parse(event.at), place },
    attributes: {
      'llmtap.event.id': event.eventId,
      'llmtap.event.source': event.source,
      ...(event.value !== null && { 'llmtap.event.value': event.value }),
      ...(runId !== null && { 'llmtap.run.id': runId }),
      ...(sessionId !== null && { 'llmtap.session.id': sessionId }),
      ...(event.callId !== null && { 'llmtap.call.id': event.callId }),
      ...asText('llmtap.event.data', event.data),
    },
  };
}

function planException(record: CallRecord, problem: string, options: SignalOptions): LogPlan {
  return {
    ...{ eventName: 'gen_ai.client.operation.exception', isWarning: true, body: null },
    ...standAtCall(record, options),
    attributes: {
      ...describeCall(record, options.plan.profile ?? 'latest'),
      ...describeIds(record),
      'exception.type': problem,
      'exception.message': record.error?.message ?? `status ${record.status}`,
    },
  };
}

/** The details of the call; before `latest`, one event a message, besides. */
function planContent(record: CallRecord, options: SignalOptions): readonly LogPlan[] {
  const profile = options.plan.profile ?? 'latest';
  const details = {
    ...{ eventName: 'gen_ai.client.inference.operation.details', isWarning: false, body: null },
    ...standAtCall(record, options),
    attributes: {
      ...describeSpan(record, profile),
      ...structureContent(record, profile),
      ...asText('llmtap.request.body', record.requestBody),
      ...asText('llmtap.response.body', record.responseBody),
    },
  };
  return profile === 'latest' ? [details] : [...planMessages(record, options), details];
}

function planMessages(record: CallRecord, options: SignalOptions): readonly LogPlan[] {
  const { place, atMs } = standAtCall(record, options);
  const attributes = { 'gen_ai.system': nameSystem(record.provider), 'llmtap.call.id': record.callId };
  return listMessageEvents(record).map(({ name, body, isAnswer }) => ({
    ...{ eventName: name, isWarning: false, body, attributes, place },
    atMs: isAnswer ? atMs : Date.parse(record.startedAt),
  }));
}

function asText(name: string, body: JsonValue): Attributes {
  if (body === null) return {};
  return { [name]: typeof body === 'string' ? body : JSON.stringify(body) };
}

function standAtCall(record: CallRecord, { parent }: SignalOptions): Pick<LogPlan, 'atMs' | 'place'> {
  const { traceId, spanId } = placeCall(record, parent);
  return { atMs: Date.parse(record.startedAt) + record.latencyMs, place: { traceId, spanId } };
}

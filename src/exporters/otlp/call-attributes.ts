import type { CallRecord, JsonValue } from '../../core/call-record.js';
import type { OtlpProfile } from '../../core/exporting.js';
import type { SessionIds } from '../../core/session.js';
import { nameOperation, nameProvider, nameSystem } from './names.js';
import { readRequestParameters } from './request-parameters.js';

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** `gpt-4o` of `chat gpt-4o`; the operation alone when no model is known. */
export function nameSpan(record: CallRecord): string {
  const operation = nameOperation(record.api);
  const model = record.routedModel ?? record.requestedModel ?? record.model;
  return model === null ? operation : `${operation} ${model}`;
}

/** Low in cardinality: the status of a refusal, else our own code; `null` for a call that went well. */
export function nameError(record: CallRecord): string | null {
  if (record.outcome === 'ok') return record.error === null ? null : record.error.code;
  if (record.outcome === 'http_error') return String(record.status);
  return record.error?.code ?? record.outcome;
}

/** What a call's metrics are told apart by: what no provider was asked for counts as any other, and can be left out. */
export function describeCall(record: CallRecord, profile: OtlpProfile): Attributes {
  return drop({
    'gen_ai.operation.name': nameOperation(record.api),
    'gen_ai.provider.name': nameProvider(record.provider),
    ...(profile === 'latest' ? {} : { 'gen_ai.system': nameSystem(record.provider) }),
    'gen_ai.request.model': record.routedModel ?? record.requestedModel,
    'gen_ai.response.model': record.model,
    ...describeServer(record.url),
    'error.type': nameError(record),
    'llmtap.cached': record.cached ? true : null,
  });
}

/** What a call's span says. What is not known is not there. */
export function describeSpan(record: CallRecord, profile: OtlpProfile): Attributes {
  return drop({
    ...describeCall(record, profile),
    ...readRequestParameters(record.requestBody),
    'gen_ai.request.stream': record.stream,
    'gen_ai.response.id': record.responseId,
    'gen_ai.response.finish_reasons': record.finishReasons.length > 0 ? record.finishReasons : null,
    'gen_ai.response.time_to_first_chunk': inSeconds(record.timeToFirstTokenMs),
    'http.response.status_code': record.status === 0 ? null : record.status,
    ...(profile === 'legacy' ? {} : describeUsage(record)),
    ...(profile === 'latest' ? {} : describeLegacyUsage(record)),
    ...describeOwn(record),
  });
}

function describeUsage({ usage, usageDetails: details }: CallRecord): Record<string, AttributeValue | null> {
  return {
    'gen_ai.usage.input_tokens': usage.inputTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheReadTokens,
    'gen_ai.usage.cache_write.input_tokens': usage.cacheWriteTokens,
    'gen_ai.usage.reasoning.output_tokens': usage.reasoningTokens,
    'gen_ai.usage.text.input_tokens': details?.inputTextTokens ?? null,
    'gen_ai.usage.image.input_tokens': details?.inputImageTokens ?? null,
    'gen_ai.usage.audio.input_tokens': details?.inputAudioTokens ?? null,
    'gen_ai.usage.text.output_tokens': details?.outputTextTokens ?? null,
    'gen_ai.usage.image.output_tokens': details?.outputImageTokens ?? null,
    'gen_ai.usage.audio.output_tokens': details?.outputAudioTokens ?? null,
  };
}

function describeLegacyUsage({ usage }: CallRecord): Record<string, AttributeValue | null> {
  return {
    'gen_ai.usage.input_tokens': usage.inputTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheWriteTokens,
  };
}

/** What the conventions have no name for. */
function describeOwn(record: CallRecord): Record<string, AttributeValue | null> {
  return {
    ...describeIds(record),
    'llmtap.call.id': record.callId,
    'llmtap.api': record.api,
    'llmtap.requested_model': record.requestedModel,
    'llmtap.outcome': record.outcome,
    'llmtap.partial': record.partial,
    'llmtap.cached': record.cached,
    'llmtap.usage_problem': record.usageProblem,
    'llmtap.cost.usd': record.cost.usd,
    'llmtap.cost.saved_usd': record.cost.savedUsd,
    'llmtap.service_tier': record.serviceTier,
    'llmtap.tool_calls': record.toolCalls.length > 0 ? record.toolCalls : null,
    'llmtap.request_id': record.requestId,
  };
}

/** The ids of a session, on its span and on those of its calls. */
export function describeIds(ids: SessionIds & { readonly sessionId: string }): Attributes {
  return drop({
    'llmtap.run.id': ids.runId,
    'llmtap.session.id': ids.sessionId,
    'llmtap.config.key': ids.configKey,
    'llmtap.config.variation_key': ids.variationKey,
    'llmtap.config.version': ids.version,
    'llmtap.graph.key': ids.graphKey,
    'llmtap.graph.run_id': ids.graphRunId,
    'llmtap.data.id': ids.dataId,
    'llmtap.combo.id': ids.comboId,
    'gen_ai.agent.id': ids.agentId,
  });
}

function describeServer(url: string): Record<string, AttributeValue | null> {
  if (!URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
  return { 'server.address': hostname, 'server.port': port === '' ? usual : Number(port) };
}

/** As OpenTelemetry's types want them: lists that may be written to. */
export function copyAttributes(attributes: Attributes): Record<string, string | number | boolean | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'object' ? [...value] : value]),
  );
}

/** About how much memory it holds. */
export function countChars(value: JsonValue): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, one: JsonValue) => sum + countChars(one), 16);
}

export function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function drop(attributes: Readonly<Record<string, AttributeValue | null>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, AttributeValue] => entry[1] !== null),
  );
}

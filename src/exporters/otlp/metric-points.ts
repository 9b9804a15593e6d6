import type { CallRecord } from '../../core/call-record.js';
import type { OtlpProfile } from '../../core/exporting.js';
import type { UsageDetails } from '../../core/usage.js';
import { inSeconds } from './call-attributes.js';

/** One value of one call for one metric. */
export interface Point {
  readonly metric: string;
  readonly value: number;
  readonly extra?: Readonly<Record<string, string>>;
}

export interface MetricRow {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Bounds of a histogram's buckets; `null` for a counter. */
  readonly buckets: readonly number[] | null;
}

const secondBuckets = Array.from({ length: 14 }, (_, at) => 0.01 * 2 ** at);
const tokenBuckets = Array.from({ length: 14 }, (_, at) => 4 ** at);
const inference = 'gen_ai.client.inference';

const histogram = (name: string, unit: string, description: string): MetricRow => ({
  ...{ name, unit, description },
  buckets: unit === 's' ? secondBuckets : tokenBuckets,
});
const counter = (name: string, description: string, unit = '{token}'): MetricRow => ({
  ...{ name, unit, description },
  buckets: null,
});

/** Every metric there is, by the conventions named in `names.ts`; the last is our own, since none of theirs is money. */
export const metricTable: readonly MetricRow[] = [
  histogram(`${inference}.duration`, 's', 'Duration of a call to a model.'),
  histogram(`${inference}.time_to_first_chunk`, 's', 'Time to the first piece of output of a stream.'),
  histogram(`${inference}.operation.input_tokens`, '{token}', 'Input tokens of a call.'),
  histogram(`${inference}.operation.output_tokens`, '{token}', 'Output tokens of a call.'),
  counter(`${inference}.usage.input_tokens`, 'Input tokens, those from a cache included.'),
  counter(`${inference}.usage.output_tokens`, 'Output tokens, reasoning included.'),
  counter(`${inference}.usage.cache_read.input_tokens`, 'Input tokens read from the provider’s cache.'),
  counter(`${inference}.usage.cache_write.input_tokens`, 'Input tokens written to the provider’s cache.'),
  counter(`${inference}.usage.reasoning.output_tokens`, 'Output tokens spent on reasoning.'),
  histogram('gen_ai.client.token.usage', '{token}', 'Tokens of a call (conventions up to 1.41).'),
  histogram('gen_ai.client.operation.duration', 's', 'Duration of a call (conventions up to 1.41).'),
  counter('llmtap.cost', 'Cost of calls that have a price.', '{USD}'),
];

/** What one call adds to the metrics. A call without usage counts 0 of modality `unknown`, as the conventions want. */
export function listPoints(record: CallRecord, profile: OtlpProfile): readonly Point[] {
  return [
    ...(profile === 'legacy' ? [] : listLatest(record)),
    ...(profile === 'latest' ? [] : listLegacy(record)),
    ...single('llmtap.cost', record.cost.usd),
  ];
}

function listLatest(record: CallRecord): readonly Point[] {
  const { usage, usageDetails } = record;
  return [
    ...single(`${inference}.duration`, inSeconds(record.latencyMs)),
    ...single(`${inference}.time_to_first_chunk`, inSeconds(record.timeToFirstTokenMs)),
    ...single(`${inference}.operation.input_tokens`, usage.inputTokens),
    ...single(`${inference}.operation.output_tokens`, usage.outputTokens),
    ...byModality('input', usage.inputTokens, usageDetails),
    ...byModality('output', usage.outputTokens, usageDetails),
    ...single(`${inference}.usage.cache_read.input_tokens`, usage.cacheReadTokens),
    ...single(`${inference}.usage.cache_write.input_tokens`, usage.cacheWriteTokens),
    ...single(`${inference}.usage.reasoning.output_tokens`, usage.reasoningTokens),
  ];
}

function listLegacy(record: CallRecord): readonly Point[] {
  const { inputTokens, outputTokens } = record.usage;
  return [
    ...single('gen_ai.client.operation.duration', inSeconds(record.latencyMs)),
    ...single('gen_ai.client.token.usage', inputTokens, { 'gen_ai.token.type': 'input' }),
    ...single('gen_ai.client.token.usage', outputTokens, { 'gen_ai.token.type': 'output' }),
  ];
}

function single(metric: string, value: number | null, extra?: Readonly<Record<string, string>>): readonly Point[] {
  return value === null ? [] : [{ metric, value, ...(extra && { extra }) }];
}

/** The counts stated of each modality; what no count names is `unknown`. */
function byModality(side: 'input' | 'output', total: number | null, details: UsageDetails | null): readonly Point[] {
  const metric = `${inference}.usage.${side}_tokens`;
  const point = (modality: string, value: number): Point => ({
    ...{ metric, value },
    extra: { 'gen_ai.token.modality': modality },
  });
  if (total === null) return [point('unknown', 0)];
  const stated = (
    side === 'input'
      ? ([
          ['text', details?.inputTextTokens],
          ['audio', details?.inputAudioTokens],
          ['image', details?.inputImageTokens],
        ] as const)
      : ([
          ['text', details?.outputTextTokens],
          ['audio', details?.outputAudioTokens],
          ['image', details?.outputImageTokens],
        ] as const)
  ).flatMap(([modality, value]) => (value === undefined || value === 0 ? [] : [point(modality, value)]));
  const rest = total - stated.reduce((sum, { value }) => sum + value, 0);
  return rest > 0 || stated.length === 0 ? [...stated, point('unknown', Math.max(rest, 0))] : stated;
}

import type { CallRecord, JsonValue } from '../../core/call-record.js';
import type { EstimatedUsage } from '../../core/timing.js';
import type { Palette } from '../colour.js';
import { listCost } from './call-cost.js';
import { makeOutcomeCell } from './calls.js';
import { formatDuration, formatTime } from './duration.js';
import { formatBytes, formatCount, unknownMark } from './number.js';
import { readableBlock, readableLine } from './text.js';

type Fact = readonly [label: string, value: string | null];

/** A page about one call: facts, usage, times, attribution, what went wrong, then both bodies, cut. */
export function formatCallPage(call: CallRecord, palette: Palette): string {
  const outcome = makeOutcomeCell(call, palette);
  const ended = outcome.paint === undefined ? outcome.text : outcome.paint(outcome.text);
  const parts = [
    `${palette.bold(`call ${call.callId}`)}  ${ended}\n`,
    formatFacts('', listFacts(call), palette),
    formatFacts('usage', listUsage(call), palette),
    formatFacts('cost', listCost(call), palette),
    formatFacts('time', listTimes(call), palette),
    formatFacts('attribution', listAttribution(call), palette),
    call.wireSession === null ? '' : formatFacts('said by the agent', Object.entries(call.wireSession), palette),
    call.error === null ? '' : formatFacts('error', listError(call.error), palette),
    formatBody('request body', call.requestBody, { call, bytes: call.requestBytes, palette }),
    formatBody('response body', call.responseBody, { call, bytes: call.responseBytes, palette }),
  ];
  return parts.join('');
}

function listFacts(call: CallRecord): readonly Fact[] {
  return [
    ['provider', call.provider],
    ['api', `${call.api}${call.stream ? ', streamed' : ''}${call.cached ? ', from a cache or recording' : ''}`],
    ['request', `${call.method} ${call.url}`],
    ['status', call.status === 0 ? 'no response' : String(call.status)],
    ['cut short', call.partial ? 'yes: what had come by then is counted' : null],
    ['service tier', call.serviceTier],
    ['model', call.model],
    ['asked for', call.requestedModel === call.model ? null : call.requestedModel],
    ['routed to', call.routedModel === call.requestedModel ? null : call.routedModel],
    ['finish reasons', joinList(call.finishReasons)],
    ['tools called', joinList(call.toolCalls)],
    ['response id', call.responseId],
    ['request id', call.requestId],
    ...call.changes.map((change, i): Fact => [i === 0 ? 'changed by llmtap' : '', change]),
  ];
}

function listUsage({ usage, usageDetails, usageProblem, estimatedUsage, partial }: CallRecord): readonly Fact[] {
  return [
    ['input tokens', formatCount(usage.inputTokens)],
    ['  read from cache', formatCount(usage.cacheReadTokens)],
    ['  written to cache', formatCount(usage.cacheWriteTokens)],
    ['output tokens', formatCount(usage.outputTokens)],
    ['  reasoning', formatCount(usage.reasoningTokens)],
    ['total tokens', formatCount(usage.totalTokens)],
    ['stated besides', usageDetails === null ? null : joinList(Object.entries(usageDetails).map(formatDetail))],
    ['unknown because', usageProblem],
    ['estimated', estimatedUsage === null ? null : formatEstimate(estimatedUsage, partial)],
  ];
}

function formatEstimate({ inputTokens, outputTokens, tokenizer }: EstimatedUsage, partial: boolean): string {
  const parts = [inputTokens === null ? [] : `${inputTokens} in`, outputTokens === null ? [] : `${outputTokens} out`];
  return `about ${parts.flat().join(', ')}${partial ? ' when it was cut' : ''}, by ${tokenizer}`;
}

function listTimes(call: CallRecord): readonly Fact[] {
  return [
    ['started', `${formatTime(call.startedAt)} (${call.startedAt})`],
    ['first byte', formatDuration(call.timeToFirstByteMs)],
    ['first token', call.timeToFirstTokenMs === null ? null : formatDuration(call.timeToFirstTokenMs)],
    ['whole', formatDuration(call.latencyMs)],
    [
      'of the provider',
      call.cachedLatencyMs === null ? null : `${formatDuration(call.cachedLatencyMs)}, when it was asked`,
    ],
    ...listPace(call.streamTiming),
    ['work of llmtap', call.selfMs === null ? null : formatDuration(call.selfMs)],
  ];
}

function listPace(timing: CallRecord['streamTiming']): readonly Fact[] {
  if (timing === null) return [];
  const { pieces, gapP50Ms, gapP95Ms, longestGapMs, stalls, stallMs, outputTokensPerSecond } = timing;
  const gaps = `${formatDuration(gapP50Ms)} p50, ${formatDuration(gapP95Ms)} p95, ${formatDuration(longestGapMs)} longest`;
  return [
    ['pieces of output', formatCount(pieces)],
    ['between pieces', gapP50Ms === null ? null : gaps],
    ['stalls', stalls === 0 ? null : `${formatCount(stalls)} of more than ${formatDuration(stallMs)}`],
    ['tokens a second', outputTokensPerSecond === null ? null : outputTokensPerSecond.toFixed(1)],
  ];
}

/** `inputAudioTokens` as a person reads it: `input audio tokens 12`. */
function formatDetail([name, count]: readonly [string, number]): string {
  return `${name.replace(/(?<=[a-z])(?=[A-Z0-9])/g, ' ').toLowerCase()} ${formatCount(count)}`;
}

function listAttribution(call: CallRecord): readonly Fact[] {
  return [
    ['run', call.runId],
    ['session', call.sessionId],
    ['config', call.configKey],
    ['variation', call.variationKey],
    ['version', call.version === null ? null : String(call.version)],
    ['graph', call.graphKey],
    ['graph run', call.graphRunId],
    ['data', call.dataId],
    ['combo', call.comboId],
    ['agent', call.agentId],
  ];
}

function listError(error: { readonly code: string; readonly message: string }): readonly Fact[] {
  return [
    ['code', error.code],
    ['message', error.message],
  ];
}

const labelWidth = 18;

/** Lines of `label  value`; facts that are `null` are left out. */
function formatFacts(title: string, facts: readonly Fact[], palette: Palette): string {
  const lines = facts.flatMap(([label, value]) => {
    if (value === null) return [];
    const name = readableLine(label).padEnd(labelWidth);
    return [`  ${palette.dim(name)}  ${readableLine(value)}\n`];
  });
  return `${title === '' ? '' : `\n${palette.bold(title)}\n`}${lines.join('')}`;
}

function joinList(list: readonly string[]): string | null {
  return list.length === 0 ? null : list.join(', ');
}

const mostBodyLines = 60;
const mostBodyCharacters = 6000;

interface BodyOptions {
  readonly call: CallRecord;
  readonly bytes: number;
  readonly palette: Palette;
}

function formatBody(title: string, body: JsonValue, { call, bytes, palette }: BodyOptions): string {
  const size = palette.dim(`${formatBytes(bytes)} on the wire`);
  const head = `\n${palette.bold(title)}  ${size}\n`;
  if (body === null) return `${head}  ${palette.dim(`${unknownMark} not kept`)}\n`;
  const text = typeof body === 'string' ? body : JSON.stringify(body, null, 2);
  const { shown, hidden } = cutBody(text);
  const note =
    hidden === 0 ? '' : palette.dim(`  … ${formatCount(hidden)} more characters: llmtap show ${call.callId} --json\n`);
  return `${head}${readableBlock(shown).replace(/^/gm, '  ')}\n${note}`;
}

/** The beginning of a body, and how many characters of it are left out. */
export function cutBody(text: string): { readonly shown: string; readonly hidden: number } {
  const start = text.slice(0, mostBodyCharacters);
  const lines = start.split('\n');
  const shown = lines.length > mostBodyLines ? lines.slice(0, mostBodyLines).join('\n') : start;
  return { shown, hidden: text.length - shown.length };
}

import type { CallRecord, JsonValue } from '../../core/call-record.js';
import type { OtlpProfile } from '../../core/exporting.js';
import type { Attributes } from './call-attributes.js';
import { type CallContent, readContent } from './content/read-content.js';

/** What was said, by the attributes of `latest`; the conventions before have events for it (`message-events.ts`). */
function listContent(record: CallRecord, profile: OtlpProfile): readonly (readonly [string, JsonValue])[] {
  const content = profile === 'legacy' ? null : readContent(record);
  if (content === null) return [];
  const { system, input, output, tools } = content;
  const named = [
    ['gen_ai.system_instructions', system],
    ['gen_ai.input.messages', input],
    ['gen_ai.output.messages', output],
    ['gen_ai.tool.definitions', tools],
  ] as const;
  return named.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

/** As JSON texts: OpenTelemetry's spans for JavaScript take no others. */
export function describeContent(record: CallRecord, profile: OtlpProfile): Attributes {
  const told = listContent(record, profile).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return { ...Object.fromEntries(told), ...describeCut(record, profile) };
}

/** As values with a structure, which log records do take. */
export function structureContent(record: CallRecord, profile: OtlpProfile): Readonly<Record<string, JsonValue>> {
  return { ...Object.fromEntries(listContent(record, profile)), ...describeCut(record, profile) };
}

/** Which of them are not whole; the conventions have no word for it. */
export function describeCut(record: CallRecord, profile: OtlpProfile): { readonly [name: string]: readonly string[] } {
  const truncated: CallContent['truncated'] = profile === 'legacy' ? [] : (readContent(record)?.truncated ?? []);
  return truncated.length === 0 ? {} : { 'llmtap.content.truncated': truncated };
}

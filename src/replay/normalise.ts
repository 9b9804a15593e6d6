import type { JsonValue } from '../core/call-record.js';
import type { NormaliseRules, VolatileKind } from '../core/cassette.js';

/** Makes texts comparable that differ only in what changes from run to run. */
export type Normalise = (text: string) => string;

type Replacement = readonly [pattern: RegExp, replace: string];

const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*';
const weekday = '(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?';

/** Source of the forms: RFC 3339 dates and times, RFC 9110's HTTP-date, and what agents' prompts write out; RFC 9562 UUIDs. */
const volatile: Readonly<Record<VolatileKind, readonly Replacement[]>> = {
  dates: [
    [/\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/g, '<date>'],
    [new RegExp(`\\b(?:${weekday},? )?(?:\\d{1,2} ${month} \\d{4}|${month} \\d{1,2},? \\d{4})\\b`, 'g'), '<date>'],
    [/\b\d{1,2}\/\d{1,2}\/\d{4}\b/g, '<date>'],
    [/\b\d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?(?: (?:GMT|UTC)(?:[+-]\d{1,4})?)?/g, '<time>'],
  ],
  uuids: [[/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>']],
  'temp-paths': [
    [/\/(?:private\/)?(?:tmp|var\/tmp|var\/folders\/[\w+-]+\/[\w+-]+\/T)\/[^\s"'`,;:)\]}>]+/g, '<temp-path>'],
    [/[A-Z]:(?:\\{1,2}[\w .~-]+)*\\{1,2}Temp(?:\\{1,2}[^\s"'`,;)\]}>\\]+)+/gi, '<temp-path>'],
  ],
};

export function makeNormalise({ volatile: kinds = [], rules = [] }: NormaliseRules): Normalise {
  const replacements: Replacement[] = [
    ...rules.map(({ pattern, flags = '', replace }): Replacement => [new RegExp(pattern, `g${flags}`), replace]),
    ...kinds.flatMap((kind) => volatile[kind]),
  ];
  if (replacements.length === 0) return (text) => text;
  return (text) => replacements.reduce((said, [pattern, replace]) => said.replace(pattern, replace), text);
}

/** Every text in a value, names of members excepted. Throws `RangeError` for what is nested too deeply. */
export function normaliseValue(value: JsonValue, normalise: Normalise): JsonValue {
  if (typeof value === 'string') return normalise(value);
  if (Array.isArray(value)) return value.map((part: JsonValue) => normaliseValue(part, normalise));
  if (typeof value !== 'object' || value === null) return value;
  const made = Object.create(null) as Record<string, JsonValue>;
  for (const [name, part] of Object.entries(value)) made[name] = normaliseValue(part as JsonValue, normalise);
  return made;
}

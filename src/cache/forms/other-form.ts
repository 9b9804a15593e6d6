import type { CacheEntry } from '../../core/response-cache.js';
import { formatCanonical, type JsonObject, readExactObject } from '../canonical-json.js';
import { chatForm } from './chat.js';
import { type OtherForm, readFrames, Unmakeable } from './frames.js';
import { messagesForm } from './messages.js';
import { responsesForm } from './responses.js';

/** By API; a reply of any other has the form it was kept in. */
const forms: Readonly<Record<string, OtherForm>> = {
  'chat.completions': chatForm,
  messages: messagesForm,
  responses: responsesForm,
};

/** Streams whose events say all that a whole reply does. */
const fullStreams = [
  'stream {"options":{"include_usage":true}}',
  'stream {"options":{"include_obfuscation":false,"include_usage":true}}',
  'stream',
];

/** The variants a reply of this one can be made from, those that say most first; none where it cannot. */
export function listSources(api: string, variant: string): readonly string[] {
  if (forms[api] === undefined) return [];
  if (variant === 'json') return fullStreams;
  return readStreamOptions(variant) === null || api === 'responses' ? [] : ['json'];
}

/**
 * An entry in another form: a stream of a whole reply, event by event, or the whole reply of a stream. What is in it is what
 * the provider said. `null` where a part has no place there, and for what is not read exactly.
 */
export function makeOtherForm(entry: CacheEntry, variant: string): CacheEntry | null {
  const form = forms[entry.api];
  if (form === undefined) return null;
  try {
    if (variant === 'json') {
      const reply = form.makeJson(readFrames(entry.body.toString('utf8')));
      return reply === null ? null : makeEntry(entry, variant, [JSON.stringify(reply)]);
    }
    const reply = readExactObject(entry.body);
    const options = readStreamOptions(variant);
    if (reply === undefined || options === null) return null;
    const events = form.makeStream(reply, options.usage);
    return events === null ? null : makeEntry(entry, variant, events);
  } catch (error) {
    if (error instanceof Unmakeable || error instanceof RangeError) return null;
    throw error;
  }
}

function makeEntry(entry: CacheEntry, variant: string, texts: readonly string[]): CacheEntry {
  const parts = texts.map((text) => Buffer.from(text));
  const type = variant === 'json' ? 'application/json' : 'text/event-stream; charset=utf-8';
  const rawHeaders = entry.rawHeaders.map((text, i) =>
    i % 2 === 1 && entry.rawHeaders[i - 1]?.toLowerCase() === 'content-type' ? type : text,
  );
  return { ...entry, variant, rawHeaders, pieces: parts.map(({ length }) => [length, 0]), body: Buffer.concat(parts) };
}

/** What a stream was asked to state, where that is all its variant says; `null` for any other. */
function readStreamOptions(variant: string): { readonly usage: boolean } | null {
  if (variant === 'stream') return { usage: false };
  const form = readExactObject(Buffer.from(variant.replace(/^stream /, '')));
  if (form === undefined || formatCanonical(Object.keys(form)) !== '["options"]') return null;
  const options = form.options as JsonObject;
  const { include_usage: usage = false, include_obfuscation: obfuscation = false, ...others } = options;
  if (typeof usage !== 'boolean' || obfuscation !== false || Object.keys(others).length > 0) return null;
  return { usage };
}

import type { JsonValue } from '../../../core/call-record.js';
import { asText, type Part } from './message.js';

/** What redaction leaves of media in a body (`call/redaction-media.ts`). */
const described = /^\[media ([\w.+-]+\/[\w.+-]+) (\d+) bytes sha256:([0-9a-f]+)\]$/;
const dataUrl = /^data:([\w.+-]+\/[\w.+-]+)?[^,]{0,200};base64,/;

/** Characters of base64 that are sent along: what is longer is named, by its type and its size. */
const mostInline = 1024;

/**
 * Media of a message: a `blob` where it is small, `uri` or `file` where it is elsewhere. What is larger than 1,024 characters
 * of base64 does not travel: `{ type: "blob_omitted", mime_type, modality, bytes }`, with the beginning of its hash
 * (`sha256`) where redaction has taken it out of the body.
 *
 * @param modality `image`, `audio` …, where no type tells it
 */
export function makeBlob(
  data: JsonValue | undefined,
  mimeType: JsonValue | undefined,
  modality?: string,
): readonly Part[] {
  const text = asText(data);
  if (text === null) return [];
  const [, stated, bytes, sha256] = described.exec(text) ?? [];
  const type = asText(mimeType) ?? stated ?? null;
  const said = { mime_type: type, modality: modality ?? nameModality(type) };
  if (bytes !== undefined) return [{ type: 'blob_omitted', ...said, bytes: Number(bytes), sha256: sha256 ?? '' }];
  if (text.length > mostInline) return [{ type: 'blob_omitted', ...said, bytes: Math.floor((text.length * 3) / 4) }];
  return [{ type: 'blob', ...said, content: text }];
}

export function makeUri(
  url: JsonValue | undefined,
  { mimeType, modality }: { readonly mimeType?: JsonValue | undefined; readonly modality?: string } = {},
): readonly Part[] {
  const text = asText(url);
  if (text === null) return [];
  if (described.test(text)) return makeBlob(text, mimeType);
  const [prefix, stated] = dataUrl.exec(text) ?? [];
  if (prefix !== undefined) return makeBlob(text.slice(prefix.length), stated ?? mimeType);
  const type = asText(mimeType);
  return [{ type: 'uri', mime_type: type, modality: modality ?? nameModality(type), uri: text }];
}

/** Sound, whose format OpenAI says in a word: `wav`, `mp3`. */
export function makeSound(data: JsonValue | undefined, format: JsonValue | undefined): readonly Part[] {
  return makeBlob(data, `audio/${asText(format) ?? 'wav'}`);
}

export function makeFile(id: JsonValue | undefined, modality = 'document'): readonly Part[] {
  const known = asText(id);
  return known === null ? [] : [{ type: 'file', mime_type: null, modality, file_id: known }];
}

function nameModality(type: string | null): string {
  const kind = type?.split('/')[0] ?? '';
  return ['image', 'audio', 'video'].includes(kind) ? kind : 'document';
}

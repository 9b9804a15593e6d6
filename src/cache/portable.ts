import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { CacheEntry, KeyParts, PieceTimes } from '../core/response-cache.js';
import { keyVersion } from './key.js';
import { pickReplyHeaders } from './reply-headers.js';

/** The first line of an export; each that follows is an entry. */
export const portableHead = { format: 'llmtap-cache', version: 1, keyVersion } as const;

/** An entry as one line of JSON. Its body is text where that is what it is, base64 where it is not. */
export function formatPortable(entry: CacheEntry): string {
  const { isBound: _, body, rawHeaders, ...rest } = entry;
  const text = body.toString('utf8');
  const content = Buffer.from(text).equals(body) ? { text } : { base64: body.toString('base64') };
  return JSON.stringify({ ...rest, headers: rawHeaders, ...content });
}

/** Why a file's first line is not that of an export that can be used here; `null` for one that is. */
export function findHeadProblem(line: string): string | null {
  const head = readJson(line);
  if (head?.format !== portableHead.format) return 'it is no export of a cache';
  if (head.version !== portableHead.version || head.keyVersion !== portableHead.keyVersion)
    return 'another version of llmtap wrote it, whose keys are not those of this one';
  return null;
}

/** The entry of a line; `null` for what is none. Headers that are not true of a replayed answer are dropped again. */
export function readPortable(line: string): CacheEntry | null {
  const value = readJson(line);
  if (value === null || !hasRightShape(value)) return null;
  const body = readBody(value);
  const headers = readHeaders(value.headers);
  const pieces = body === null ? null : readPieces(value.pieces, body.length);
  const parts = readParts(value.parts);
  if (body === null || headers === null || pieces === null || parts === null) return null;
  return {
    ...{ key: value.key, variant: value.variant, provider: value.provider, api: value.api, url: value.url },
    ...{ model: value.model, callId: value.callId, status: 200, latencyMs: value.latencyMs },
    ...{ storedAtMs: value.storedAtMs, expiresAtMs: value.expiresAtMs },
    ...{ isBound: false, rawHeaders: pickReplyHeaders(headers, () => false), pieces, parts, body },
  };
}

type Json = Readonly<Record<string, unknown>>;
type Shaped = Pick<
  CacheEntry,
  'key' | 'variant' | 'provider' | 'api' | 'url' | 'model' | 'callId' | 'latencyMs' | 'storedAtMs' | 'expiresAtMs'
> &
  Json;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 4096;
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function hasRightShape(value: Json): value is Shaped {
  return (
    /^[0-9a-f]{64}$/.test(String(value.key)) &&
    /^(?:json|stream)(?: \{.{0,500}\})?$/.test(String(value.variant)) &&
    [value.provider, value.api, value.url, value.callId].every(isText) &&
    (value.model === null || isText(value.model)) &&
    value.status === 200 &&
    isTime(value.latencyMs) &&
    Number.isSafeInteger(value.storedAtMs) &&
    (value.expiresAtMs === null || Number.isSafeInteger(value.expiresAtMs))
  );
}

function readBody({ text, base64 }: Json): Buffer | null {
  if (typeof text === 'string') return Buffer.from(text);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : null;
}

function readHeaders(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length % 2 === 1 || value.length > 200) return null;
  const headers: string[] = value.filter((part: unknown): part is string => typeof part === 'string');
  if (headers.length !== value.length) return null;
  try {
    for (let i = 0; i < headers.length; i += 2) {
      validateHeaderName(headers[i] ?? '');
      validateHeaderValue(headers[i] ?? '', headers[i + 1] ?? '');
    }
    return headers;
  } catch {
    // What no head may carry.
    return null;
  }
}

function readPieces(value: unknown, length: number): PieceTimes | null {
  if (!Array.isArray(value)) return null;
  let sum = 0;
  for (const piece of value as unknown[]) {
    if (!Array.isArray(piece) || piece.length !== 2 || !Number.isSafeInteger(piece[0]) || !isTime(piece[1]))
      return null;
    if (Number(piece[0]) < 0) return null;
    sum += Number(piece[0]);
  }
  return sum === length ? (value as unknown as PieceTimes) : null;
}

function readParts(value: unknown): KeyParts | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.values(value).every((part) => typeof part === 'string') ? (value as KeyParts) : null;
}

function readJson(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

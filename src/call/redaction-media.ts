import { createHash } from 'node:crypto';

/** Shorter base64 stays: it is no picture, and saying so would be as long. */
const minMediaLength = 1024;

/** Members in which the dialects carry inline media (OpenAI, Anthropic, Gemini references, read 2026-11-21). */
const mediaMembers = new Set([
  ...[
    'data',
    'b64_json',
    'partial_image_b64',
    'bytes',
    'bytesBase64Encoded',
    'imageBytes',
    'image_base64',
    'file_data',
  ],
  ...['image', 'audio', 'result', 'videoBytes', 'audioBytes', 'images'],
]);
const typeMembers = ['media_type', 'mime_type', 'mimeType', 'mediaType'] as const;
const base64 = /^[A-Za-z0-9+/_\r\n-]+={0,2}\s*$/;
const dataUrl =
  /data:([\w.+-]{1,64}\/[\w.+-]{1,64})?(?:;[\w.-]{1,32}=[\w.-]{1,64}){0,4};base64,([A-Za-z0-9+/_=-]{1024,})/g;

/** Whether a member of this name with this value is inline media. */
export function isMedia(name: string, value: string): boolean {
  return value.length >= minMediaLength && mediaMembers.has(name) && base64.test(value);
}

/** What stands for media that is not kept: its type, its size and the beginning of its hash. */
export function describeMedia(type: string, encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64');
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `[media ${type} ${bytes.length} bytes sha256:${hash}]`;
}

/** The type its siblings give a piece of media. */
export function readMediaType(siblings: Readonly<Record<string, unknown>>): string {
  for (const name of typeMembers) {
    const type = siblings[name];
    if (typeof type === 'string' && /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(type)) return type;
  }
  const { format } = siblings;
  return typeof format === 'string' && /^\w{1,16}$/.test(format) ? `audio/${format}` : 'application/octet-stream';
}

/** Describes the `data:` URLs (RFC 2397) of a text instead of keeping them. */
export function replaceDataUrls(text: string): string {
  if (text.length < minMediaLength || !text.includes(';base64,')) return text;
  return text.replaceAll(dataUrl, (_, type: string | undefined, encoded: string) =>
    describeMedia(type ?? 'text/plain', encoded),
  );
}

const quotedBase64 = /"([A-Za-z0-9+/]{1024,}={0,2})(?="|$)/g;

/** As `replaceDataUrls`, and for whole strings of base64 in JSON that was cut and cannot be parsed. */
export function replaceMediaInText(text: string): string {
  return replaceDataUrls(text).replaceAll(quotedBase64, (_, encoded: string) => {
    return `"${describeMedia('application/octet-stream', encoded)}`;
  });
}

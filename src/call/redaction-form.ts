/** As a content type begins that says that a body is no text. */
const mediaType = /^\s*((?:audio|image|video)\/[\w.+-]{1,64})/i;
const grpc = /^\s*(application\/grpc(?:\+proto)?)\s*(?:;|$)/i;
const octets = /^\s*(?:application|binary)\/octet-stream\b/i;
const formBoundary = /^\s*multipart\/[\w-]{1,32}\b.*?;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** What stands for a body that is no text, and which therefore says nothing once it is made one; else `undefined`. */
export function describeMediaBody(text: string, contentType: string | null): string | undefined {
  const type = contentType ?? '';
  const found = (mediaType.exec(type) ?? grpc.exec(type))?.[1]?.toLowerCase();
  if (found !== undefined) return `[media ${found}, not kept]`;
  // A file cut between two bytes of a letter has one of these at its end; what has more of them is no text.
  const isBinary = octets.test(type) && text.slice(0, 4096).split('\ufffd').length > 3;
  return isBinary ? '[media application/octet-stream, not kept]' : undefined;
}

/** A form's text with its files left out, whatever they hold: `[media audio/wav, not kept]`; else the same text. */
export function describeFormFiles(text: string, contentType: string | null): string {
  const found = formBoundary.exec(contentType ?? '');
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) return text;
  return text.split(`--${boundary}`).map(describePart).join(`--${boundary}`);
}

function describePart(part: string): string {
  const headEnd = part.indexOf('\r\n\r\n');
  const head = part.slice(0, Math.max(headEnd, 0));
  if (!/^content-disposition:[^\r\n]*[;\s]filename\*?=/im.test(head)) return part;
  const type = /^content-type:\s*([\w.+-]{1,64}\/[\w.+-]{1,64})/im.exec(head)?.[1] ?? 'application/octet-stream';
  return `${head}\r\n\r\n[media ${type}, not kept]\r\n`;
}

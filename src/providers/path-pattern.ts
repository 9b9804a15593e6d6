/**
 * A path written as a pattern: segments compared as they are, where one `*` in a segment stands for at least one
 * character of that segment: `/v1/messages`, `/v1beta/models/*:generateContent`.
 */
export interface PathPattern {
  matches(segments: readonly string[]): boolean;
}

export function makePathPattern(text: string): PathPattern {
  const parts = text.replace(/\/$/, '').split('/').slice(1);
  const tests = parts.map(makeSegmentTest);
  return {
    matches: (segments) => segments.length === tests.length && tests.every((test, at) => test(segments[at] ?? '')),
  };
}

/** The decoded segments of a path; query, fragment and one trailing slash left out. */
export function readSegments(path: string): readonly string[] {
  const [bare = ''] = path.split(/[?#]/, 1);
  const trimmed = bare.endsWith('/') ? bare.slice(0, -1) : bare;
  return trimmed.split('/').slice(1).map(decodeSegment);
}

/** The same segments without the empty ones that doubled slashes make: `//v1//chat` is `/v1/chat`. */
export function joinSlashes(segments: readonly string[]): readonly string[] {
  return segments.includes('') ? segments.filter((segment) => segment !== '') : segments;
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray `%` is no encoding: the segment stands for itself.
    return segment;
  }
}

function makeSegmentTest(part: string): (segment: string) => boolean {
  const star = part.indexOf('*');
  if (star === -1) return (segment) => segment === part;
  const head = part.slice(0, star);
  const tail = part.slice(star + 1);
  return (segment) => segment.length > head.length + tail.length && segment.startsWith(head) && segment.endsWith(tail);
}
